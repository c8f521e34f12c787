"""What the bridge does itself for who calls it: the codes that phones dial, and the spoken menu.

What is asked of the command path is a `Wish`: the agent submits it in the name of the phone's line, and brings its
reply back to whoever wished it. Only then does the phone hear anything: what it hears is written to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.phones.attended import Attended
from bridge.calls.phones.codecall import CodeCall
from bridge.calls.phones.menucall import MenuCall
from bridge.calls.phones.pins import Pins
from bridge.calls.present import Present
from bridge.commands.model import Actor, Command, Reply
from bridge.directory.codes import Code
from bridge.directory.logins import Logins
from bridge.events import Event
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.useragent import Invited, UserAgent

MOST = 50  # calls at once, each with ports of its own
MOST_OF_A_CALLER = 3


class Wish(NamedTuple):
    """A command that somebody has asked for by phone; `then` takes the reply."""

    command: Command
    actor: Actor
    then: Callable[[Reply, float], None]


class Board(Protocol):
    """What services need of the switchboard: where calls are counted, and how their media pass."""

    def count(self, line: str | None, *, calls: int = 0) -> None:
        """Add to a line's use."""

    def carry(self, trunk: str, more: int) -> None:
        """Count a trunk's calls."""

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""


PickUp = Callable[[IncomingLeg, str, str, float], None]
"""Answers or refuses a phone of a line, which has called to take what rings at a number."""


class Services:
    """All calls to the bridge itself. `wishes` are to be taken after each step; `tell` takes events."""

    def __init__(
        self,
        present: Present,
        logins: Logins,
        trunks: Mapping[str, Trunk],
        ua: UserAgent,
        board: Board,
        pick_up: PickUp,
        tell: Callable[[Event], None],
    ) -> None:
        self.present = present
        self.logins = logins
        self.tell = tell
        self._trunks = trunks
        self._ua = ua
        self._board = board
        self._pick_up = pick_up
        self._pins = Pins()
        self._wishes: list[Wish] = []
        self._up: set[Attended] = set()

    def serve(self, invited: Invited, caller: Caller, called: Called, now: float) -> None:
        """Take a call to a service."""
        dialled = called.service
        assert dialled is not None
        if dialled.code is not Code.MENU and caller.line is None:
            self._ua.answer(invited.transaction, invited.request, 404, now)
        elif dialled.code is Code.PICKUP and caller.line is not None:
            self._pick_up(self._take(invited, caller, now), caller.line, dialled.target, now)
        elif self._are_enough(caller):
            self._ua.answer(invited.transaction, invited.request, 486, now)
        else:
            leg = self._take(invited, caller, now)
            passage = self._board.passage(leg, caller, leg.offer)
            if dialled.code is Code.MENU:
                self._begin(MenuCall(self, leg, caller, passage, self._pins), now)
            else:
                self._begin(CodeCall(self, leg, caller, passage, dialled), now)

    @property
    def busy(self) -> int:
        """How many calls it takes now."""
        return len(self._up)

    def take_wishes(self) -> list[Wish]:
        """Return what was asked for since this was last asked."""
        wishes, self._wishes = self._wishes, []
        return wishes

    def recount(self) -> None:
        """Count anew what is on lines and trunks, after they were set to nothing."""
        for call in self._up:
            self._count(call.caller, 1)

    def stop(self, now: float) -> None:
        """End all calls."""
        for call in tuple(self._up):
            call.leave(now)

    def _are_enough(self, caller: Caller) -> bool:
        same = sum(_who(call.caller) == _who(caller) for call in self._up)
        trunk = self._trunks.get(caller.trunk or "")
        return len(self._up) >= MOST or same >= MOST_OF_A_CALLER or (trunk is not None and trunk.full())

    def _take(self, invited: Invited, caller: Caller, now: float) -> IncomingLeg:
        line = self.present.directory.lines.get(caller.line or "")
        leg = self._ua.take(invited, "bridge", line is not None and line.registers, now)
        if caller.trunk is not None:
            leg.authenticator = self._trunks[caller.trunk].authenticator
        return leg

    def _begin(self, call: Attended, now: float) -> None:
        self._up.add(call)
        self._count(call.caller, 1)
        call.start(now)

    def _count(self, caller: Caller, more: int) -> None:
        if caller.line in self.present.directory.lines:
            self._board.count(caller.line, calls=more)
        elif caller.trunk in self._trunks:
            self._board.carry(caller.trunk or "", more)

    # -- what its calls ask (House) ----------------------------------------------------------------------------------

    def wish(self, command: Command, actor: Actor, then: Callable[[Reply, float], None]) -> None:
        """Ask for a command; `then` is called with its reply, later."""
        self._wishes.append(Wish(command, actor, then))

    def arm(self, call: Attended, due: float | None) -> None:
        """Set when a call's `tick` is due."""
        self._ua.agenda.arm(call, due)

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""
        return self._board.wall()

    def over(self, call: Attended) -> None:
        """Take note that a call has ended."""
        if call in self._up:
            self._up.discard(call)
            self._count(call.caller, -1)


def _who(caller: Caller) -> tuple[str | None, str | None, str]:
    return caller.line, caller.trunk, "" if caller.line is not None else caller.number
