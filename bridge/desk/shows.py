"""What a lamp shows: words from the configuration, and what of them is true now.

Truth is the confirmed state, never what was asked for. Words that nothing can be said about yet are dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.calls.status import LineState, Telephony
from bridge.desk.signals import Truth
from bridge.directory.model import Directory, Group
from bridge.events import (
    CallerWaits,
    Event,
    GroupCall,
    LineChanged,
    LoginChanged,
    MemberDropped,
    MissedChanged,
    OpeningChanged,
    TrunkChanged,
    WaitingChanged,
    WrapUp,
)
from bridge.port.model import Port

Subject = tuple[str, ...]
"""What a lamp's truth hangs on: ("login", group, member), ("night", group), ("waiting", group), ("missed", group),
("line", line) or ("trunks",)."""

_TRUNKS: Subject = ("trunks",)


@dataclass(frozen=True, slots=True)
class Shows:
    """A word, and the group (name or number) or line that it is about, "" where it is about none."""

    word: str
    target: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.target}".rstrip()


class Eyes:
    """Sees what is true for the lamps of one member."""

    def __init__(self, member: str, port: Port, telephony: Telephony) -> None:
        self._member = member
        self._port = port
        self._telephony = telephony

    def truth(self, shows: Shows) -> Truth:
        """Return what is true for a lamp."""
        match shows.word:
            case "login":
                return self._login(shows.target)
            case "line":
                return self._line(shows.target)
            case "night":
                return self._night(shows.target)
            case "ringing":
                return Truth(ringing=self._rings())
            case "waiting":
                group = self._group(shows.target)
                return Truth(on=group is not None and bool(self._telephony.waiting(group.name)))
            case "missed":
                group = self._group(shows.target)
                return Truth(on=group is not None and self._port.missed(group.name, self._member) > 0)
            case "bridge":
                states = {trunk.state for trunk in self._telephony.trunks()}
                return Truth(unreachable="lost" in states, on="trying" not in states)
        return Truth()

    def subjects(self, shows: Shows) -> Sequence[Subject]:
        """Return what a lamp's truth hangs on."""
        home = ("line", line_of(self._port.directory, self._member))
        match shows.word:
            case "login":
                group = self._group(shows.target)
                login = ("login", group.name, self._member) if group else ()
                return login, home, _TRUNKS
            case "line":
                return (("line", shows.target),)
            case "night":
                group = self._group(shows.target)
                return (("night", group.name),) if group else ()
            case "ringing":
                return (home,)
            case "waiting":
                group = self._group(shows.target)
                return (("waiting", group.name),) if group else ()
            case "missed":
                group = self._group(shows.target)
                return (("missed", group.name),) if group else ()
            case "bridge":
                return (_TRUNKS,)
        return ()

    def _login(self, target: str) -> Truth:
        group = self._group(target)
        if group is None:
            return Truth()
        login = self._port.login(group.name, self._member)
        paused = login.logged_in and (login.paused or self._telephony.wraps_up(self._member) is not None)
        return Truth(unreachable=self._cut_off(), ringing=self._rings(), paused=paused, on=login.logged_in)

    def _night(self, target: str) -> Truth:
        """Lit while the group is closed, whether its switch says so or its hours."""
        group = self._group(target)
        return Truth(on=group is not None and not self._port.opening(group.name).open)

    def _line(self, line: str) -> Truth:
        if line not in self._port.directory.lines:  # it has left the configuration; the lamp will follow
            return Truth()
        state = self._telephony.line(line).state
        return Truth(
            unreachable=state is LineState.UNREACHABLE,
            ringing=state is LineState.RINGING,
            on=state is LineState.BUSY,
        )

    def _rings(self) -> bool:
        line = line_of(self._port.directory, self._member)
        return line in self._port.directory.lines and self._telephony.line(line).state is LineState.RINGING

    def _cut_off(self) -> bool:
        """Whether no call can come: the trunk to the member's line is lost, or all trunks are."""
        home = self._port.directory.lines.get(line_of(self._port.directory, self._member))
        trunk = home.trunk if home else None
        needed = [t.state for t in self._telephony.trunks() if trunk in (None, t.trunk)]
        return bool(needed) and all(state == "lost" for state in needed)

    def _group(self, target: str) -> Group | None:
        return self._port.directory.group(target)


def line_of(directory: Directory, member: str) -> str:
    """Return the line of a member: the user's first, or the device itself."""
    user = directory.users.get(member)
    return user.line if user else member


def subject(event: Event) -> Subject | None:
    """Return what an event is about, or None where no lamp hangs on it."""
    match event:
        case (
            LoginChanged(group=group, member=member)
            | MemberDropped(group=group, member=member)
            | WrapUp(group=group, member=member)
        ):
            return ("login", group, member)
        case GroupCall(group=group) | CallerWaits(group=group) | WaitingChanged(group=group):
            return ("waiting", group)
        case MissedChanged(group=group):
            return ("missed", group)
        case LineChanged(line=line):
            return ("line", line)
        case OpeningChanged(group=group):
            return ("night", group)
        case TrunkChanged():
            return _TRUNKS
    return None
