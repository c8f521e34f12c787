"""The agents: what the floor decides of members, carried out among calls, lines and doors.

The floor (`hunting.floor`) is pure; here its deadline is in the agenda, a member who is free again is shown to all who
wait in turn, wrap-up is told to the doors, and its counters are kept over a restart.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from bridge.calls.lines import LineTable
from bridge.calls.present import Present
from bridge.calls.restart.kept import Kept
from bridge.directory.model import Group, Strategy
from bridge.events import Event, WrapUp
from bridge.hunting.floor import Floor
from bridge.sip.agenda import Agenda

KIND = "orders"
"""What the counters are kept as (`Kept`)."""


class Agents:
    """Everybody who takes calls. `wall` gives UTC seconds, `tell` takes events."""

    def __init__(
        self,
        present: Present,
        lines: LineTable,
        agenda: Agenda,
        kept: Kept,
        wall: Callable[[], float],
        tell: Callable[[Event], None],
    ) -> None:
        self.floor = Floor()
        self.due: float | None = None
        self._present = present
        self._lines = lines
        self._agenda = agenda
        self._kept = kept
        self._wall = wall
        self._tell = tell
        self._wraps_up: dict[str, float] = {}  # member: until when, UTC seconds

    def settle(self) -> None:
        """Do what the floor asks for; after each step of a hunt."""
        for member in self.floor.take_owed():
            self._show(member)
        self._agenda.arm(self, self.floor.deadline())
        if self.floor.orders.touched or self.floor.pace.touched:
            self._kept.touch(KIND)

    def tick(self, now: float) -> None:
        """Let rests and wrap-ups end."""
        for member in self.floor.tick(now):
            self._show(member)
            self._say_over(member)
        self.settle()

    def took(self, member: str) -> None:
        """Note that a member has taken a group's call."""
        self.floor.orders.took(member, datetime.datetime.fromtimestamp(self._wall()).date().isoformat())

    def talk_over(self, group: Group, member: str, seconds: float, now: float) -> None:
        """Note that a member's talk with a group's caller is over."""
        self.floor.orders.ended(member)
        if group.strategy is Strategy.QUEUE:
            wrap_up = group.queue.wrap_up
            self.floor.pace.note(group.name, seconds + wrap_up)
            self.floor.wrap_up(member, wrap_up, now)
            until = self.floor.wraps_up(member)
            if until is not None:
                self._wraps_up[member] = self._wall() + until - now
                self._say_wrap_up(member, self._wraps_up[member])
        self.settle()

    def ready(self, member: str, now: float) -> bool:
        """End a member's rest and wrap-up, because they say that they are ready; return whether there was one."""
        if not self.floor.ready(member):
            return False
        self._show(member)
        self._say_over(member)
        self.settle()
        return True

    def wraps_up(self, member: str) -> float | None:
        """Return until when a member is in wrap-up, UTC seconds; None where they are not."""
        return self._wraps_up.get(member)

    def _say_over(self, member: str) -> None:
        if self._wraps_up.pop(member, None) is not None:
            self._say_wrap_up(member, None)

    def _say_wrap_up(self, member: str, until: float | None) -> None:
        for group in self._present.directory.groups.values():
            if group.member(member) is not None:
                self._tell(WrapUp(self._wall(), group.name, member, until))

    def _show(self, member: str) -> None:
        """Let all who wait at a member look there again."""
        directory = self._present.directory
        user = directory.users.get(member)
        line = user.line if user else member
        if line in directory.lines:
            self._lines.changed.append(line)

    # -- over a restart ------------------------------------------------------------------------------------------

    def dump(self) -> list[dict[str, Any]]:
        """Return the counters as plain values."""
        return [{"orders": self.floor.orders.dump(), "pace": self.floor.pace.dump()}]

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take the counters up again. Raises KeyError, TypeError or ValueError where they cannot be read."""
        self.floor.orders.load(kept["orders"])
        self.floor.pace.load(kept["pace"])
