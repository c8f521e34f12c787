"""What lamps of phones show, by value: each as the dialogs of its entity, redacted for the line whose phone watches.

A lamp that is lit is a confirmed dialog, one that blinks an early one. A line that calls somebody is lit from the
start, since phones take every early dialog for one that rings and could be picked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from bridge.calls.lines import LineTable
from bridge.calls.phones.watchable import Watchable, What
from bridge.calls.present import Present
from bridge.calls.sides import Side, sides
from bridge.calls.status import CallStatus, LineState
from bridge.calls.switchboard import Switchboard
from bridge.commands.eyes import Eyes
from bridge.commands.phones import actor_at
from bridge.commands.rights import Right, at_least, may_at
from bridge.directory.logins import Logins
from bridge.directory.model import Level
from bridge.sip.dialogdocument import DialogShown, Party
from bridge.sip.grammar import parse_uri

Shown = tuple[DialogShown, ...]


class Pictures:
    """What everybody's lamps show. Within a `look` the calls that are up are gone through once, for all lamps."""

    def __init__(self, present: Present, logins: Logins, lines: LineTable, board: Switchboard) -> None:
        self._present = present
        self._logins = logins
        self._lines = lines
        self._board = board
        self._looking = False
        self._called: frozenset[str] | None = None  # groups whose callers ring or wait
        self._sides: dict[str, list[tuple[Side, CallStatus]]] = {}  # of lines

    @contextmanager
    def look(self) -> Iterator[None]:
        """Have calls stand still, for as long as many lamps are looked at."""
        self._forget()
        self._looking = True
        try:
            yield
        finally:
            self._looking = False

    def _forget(self) -> None:
        self._called = None
        self._sides.clear()

    def may(self, line: str, shows: Watchable) -> bool:
        """Whether a line's phone may see what it asks for; a login that is asked for is always its own."""
        eyes, name = self._eyes(line), shows.names[0]
        if shows.what is What.LOGIN:
            return True
        if shows.what is What.LINE:
            return line == name or eyes.sees_line(name)
        group = self._present.directory.groups.get(name)
        return group is not None and (eyes.sees_group(group) or self._is_public)

    @property
    def _is_public(self) -> bool:
        """Whether how groups stand is everybody's, devices' too."""
        return at_least(self._present.directory.site_level, Level.PUBLIC)

    def _eyes(self, line: str) -> Eyes:
        return Eyes(actor_at(line, self._present.directory), self._present.directory)

    def shown(self, watcher: str, entity: str, shows: Watchable) -> Shown:
        """Return what the phone of a line is shown; nothing where it may not see it any more."""
        if not self._looking:
            self._forget()
        if not self.may(watcher, shows):
            return ()
        match shows.what:
            case What.LINE:
                return tuple(self._of_line(shows.names[0], watcher, entity))
            case What.CALLERS:
                return _one("callers", "early", "recipient") if self._has_callers(shows.names[0]) else ()
            case What.LOGIN:
                return self._login(shows)
            case What.NIGHT:
                group = self._present.directory.groups.get(shows.names[0])
                shut = group is not None and not self._board.is_open(group)
                return _one("night", "confirmed") if shut else ()

    def _login(self, shows: Watchable) -> Shown:
        logins = [self._logins.get(group, shows.member) for group in shows.names]
        inside = [login for login in logins if login.logged_in]
        if not inside:
            return ()
        return _one("login", "early" if all(login.paused for login in inside) else "confirmed", "initiator")

    def _has_callers(self, name: str) -> bool:
        """Whether a caller of a group rings or waits."""
        if self._called is None:
            up = self._board.up.values()
            self._called = frozenset(call.group.name for call in up if call.group is not None and call.searching)
        return name in self._called

    def _sides_at(self, line: str) -> list[tuple[Side, CallStatus]]:
        """Return the calls that are on a line, and what others may see of them."""
        if line not in self._sides:
            up = self._board.up.values()
            self._sides[line] = [(side, call.status()) for call in up for side in sides(call, line)]
        return self._sides[line]

    def _of_line(self, line: str, watcher: str, entity: str) -> Iterator[DialogShown]:
        """Yield the calls that are on a line, else what else makes it busy: its PBX's word, or the bridge itself."""
        directory = self._present.directory
        if line not in directory.lines:
            return
        state = self._lines.status(line).state
        if state not in (LineState.RINGING, LineState.BUSY):
            return
        eyes, host = self._eyes(watcher), parse_uri(entity).host
        watched = directory.lines[line]
        own = Party(f"sip:{watched.number}@{host}") if eyes.sees_number_of(watched) else None
        found = self._sides_at(line)
        for side, status in found:
            numbers = eyes.sees_numbers(status.lines, status.rung, (status.group,))
            right = Right.PICKUP if side.state == "early" else Right.CONTROL
            taken = side.dialog if line == watcher or may_at(eyes.viewer, right, line, directory) else None
            remote = _party(side, host) if numbers else None
            yield DialogShown(side.call, side.state, side.direction, own, remote, taken)
        if not found:
            yield DialogShown("line", "early" if state is LineState.RINGING else "confirmed")


def _one(ident: str, state: str, direction: str = "") -> Shown:
    return (DialogShown(ident, state, direction),)


def _party(side: Side, host: str) -> Party | None:
    """Return who is at the other end, None where that is nobody's to know."""
    if not side.peer.number:
        return None
    user = quote(side.peer.number, safe="-_.!~*'()+")
    return Party(f"sip:{user}@{host}", side.peer.name)
