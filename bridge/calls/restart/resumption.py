"""What a restart takes up again, and what it ends: from plain values to talks, and to last words for all other legs.

A talk goes on with its two dialogs; one that was relayed at the same ports of ours, where nobody has taken them. Every
leg that is of no such talk is ended for its other side (`leftover`), as soon as there is a network to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bridge.calls.onward.outside import trunk_of
from bridge.calls.parties import Called, Outside
from bridge.calls.passages import Passages
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.calls.restart.kept import dialog_of, parties_of
from bridge.calls.restart.leftover import Legs, end_leftover, name_of
from bridge.calls.restart.talks import Talks, call_of, resumable
from bridge.calls.switchboard import Switchboard
from bridge.calls.talk import Talk
from bridge.sip.leg import Leg
from bridge.sip.useragent import UserAgent

Plain = Mapping[str, Any]


class Resumption:
    """Talks and legs over a restart. `said` takes what is to be told to people."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        ua: UserAgent,
        board: Switchboard,
        passages: Passages,
        said: Callable[[str], None],
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._ua = ua
        self._board = board
        self._passages = passages
        self._said = said
        self._talks = Talks()
        self._legs = Legs()
        self._to_end: list[Plain] = []

    def talks(self) -> list[dict[str, Any]]:
        """Return the talks that are to be kept; one in which nothing has changed is the same object as before."""
        return self._talks.plain(self._board.up.values())

    def legs(self) -> list[dict[str, Any]]:
        """Return the legs that are of no talk which is kept; one that stands where it stood is the same object."""
        talks = [talk for call in self._board.up.values() if (talk := resumable(call)) is not None]
        talking = {leg for talk in talks for leg in (talk.caller, talk.member)}
        return self._legs.plain(leg for leg in self._ua.legs.values() if leg not in talking)

    def leave(self, plain: Plain) -> None:
        """Let a leg wait for `end` that nobody takes up. Raises KeyError, TypeError or ValueError where it is none."""
        if name_of(plain) not in self._ua.legs:  # else it has become a talk since it was written
            self._to_end.append(plain)

    def end(self, now: float) -> None:
        """Tell the other sides of what is not taken up."""
        left, self._to_end = self._to_end, []
        for plain in left:
            with self.said_if_unreadable("a call"):
                end_leftover(plain, self._ua, now)

    @contextmanager
    def said_if_unreadable(self, what: str) -> Iterator[None]:
        """Tell people of what cannot be read, and go on without it."""
        try:
            yield
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:  # SipError is a ValueError
            self._said(f"{what} from before the restart is lost: {error!r}")

    def take_up(self, kept: Plain, now: float) -> None:
        """Take a talk up again. Raises AttributeError, KeyError, TypeError or ValueError where it cannot be read."""
        plain_legs = [{"is": "up", "dialog": plain} for plain in kept["legs"]]
        first, second = (dialog_of(plain["dialog"]) for plain in plain_legs)
        relay = kept.get("relay")
        through = trunk_of(str(kept["line"]))  # of a call to the outside, which has no line
        line = self._present.directory.lines.get(kept["line"]) if through is None else None
        carriage = self._passages.resume(relay) if relay is not None else None
        if relay is not None and carriage is None:
            self._said("a talk from before the restart is ended: somebody else has the ports that it went through")
            self._to_end += plain_legs
            return
        caller, called = parties_of(kept["parties"], self._present.directory)
        if through is not None:
            called = Called(called.number, outside=Outside(through, called.number, caller.line or ""))
        elif called.group is None and called.line is None:
            called = Called(called.number, line=line)
        legs = self._ua.resume(first, now), self._ua.resume(second, now)
        passage = self._passages.again(*legs, carriage) if carriage is not None else None
        talk = Talk(*legs, passage)
        trunk = self._trunks.get(caller.trunk or "")
        if trunk is not None:
            self._board.carry(trunk.settings.name, 1)
        self._authenticate(talk.caller, caller.trunk)
        self._authenticate(talk.member, line.trunk if line is not None else through)
        call = call_of(kept, (caller, called), talk, passage, self._board, now)
        self._board.up[call.id] = call
        for leg in legs:
            leg.look_soon(now)

    def _authenticate(self, leg: Leg, trunk: str | None) -> None:
        if trunk in self._trunks:
            leg.authenticator = self._trunks[trunk or ""].authenticator
