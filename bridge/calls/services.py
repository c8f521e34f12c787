"""What the bridge does itself for who calls it: the codes that phones dial, and the spoken menu.

What is asked of the command path is a `Wish`: the agent submits it in the name of the phone's line, and its reply comes
back by `granted`. Only then does the phone hear anything: what it hears is written to the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from bridge.calls.codecall import CodeCall
from bridge.calls.parties import Called, Caller
from bridge.calls.present import Present
from bridge.commands.model import Actor, Command, Reply
from bridge.directory.codes import Code
from bridge.sip.incoming import IncomingLeg
from bridge.sip.useragent import Invited, UserAgent


class Wish(NamedTuple):
    """A command that somebody has asked for by phone; `then` takes the reply."""

    command: Command
    actor: Actor
    then: Callable[[Reply, float], None]


class Use(Protocol):
    """Where calls are counted: the switchboard."""

    def count(self, line: str | None, *, calls: int = 0) -> None:
        """Add to a line's use."""

    def carry(self, trunk: str, more: int) -> None:
        """Count a trunk's calls."""


PickUp = Callable[[IncomingLeg, str, str, float], None]
"""Answers or refuses a phone of a line, which has called to take what rings at a number."""


class Services:
    """All calls to the bridge itself. `wishes` are to be taken after each step."""

    def __init__(self, present: Present, ua: UserAgent, use: Use, pick_up: PickUp) -> None:
        self.wishes: list[Wish] = []
        self._present = present
        self._ua = ua
        self._use = use
        self._pick_up = pick_up
        self._up: dict[CodeCall, Caller] = {}

    def serve(self, invited: Invited, caller: Caller, called: Called, now: float) -> None:
        """Take a call to a service."""
        assert called.service is not None
        if called.service.code is Code.PICKUP and caller.line is not None:
            self._pick_up(self._take(invited, caller, now), caller.line, called.service.target, now)
            return
        if called.service.code is Code.MENU or called.service.code is Code.PICKUP or caller.line is None:
            self._ua.answer(invited.transaction, invited.request, 404, now)
            return
        leg = self._take(invited, caller, now)
        call = CodeCall(leg, caller.line, called.service, self._present.directory, self._over)
        self._begin(call, caller)
        call.start(self.wish, now)

    def wish(self, command: Command, actor: Actor, then: Callable[[Reply, float], None]) -> None:
        """Ask for a command; `then` is called with its reply, later."""
        self.wishes.append(Wish(command, actor, then))

    def take_wishes(self) -> list[Wish]:
        """Return what was asked for since this was last asked."""
        wishes, self.wishes = self.wishes, []
        return wishes

    def recount(self) -> None:
        """Count anew what is on lines and trunks, after they were set to nothing."""
        for caller in self._up.values():
            self._count(caller, 1)

    def _take(self, invited: Invited, caller: Caller, now: float) -> IncomingLeg:
        registers = caller.line is not None and self._present.directory.lines[caller.line].registers
        return self._ua.take(invited, "bridge", registers, now)

    def _begin(self, call: CodeCall, caller: Caller) -> None:
        self._up[call] = caller
        self._count(caller, 1)

    def _over(self, call: CodeCall) -> None:
        caller = self._up.pop(call, None)
        if caller is not None:
            self._count(caller, -1)

    def _count(self, caller: Caller, more: int) -> None:
        if caller.line is not None:
            self._use.count(caller.line, calls=more)
        elif caller.trunk is not None:
            self._use.carry(caller.trunk, more)
