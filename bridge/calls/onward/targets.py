"""Where calls lead: what a line dials, and where the calls of a line or group go on to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.onward.outside import Asked
from bridge.calls.parties import Called, destination
from bridge.calls.surroundings import Surroundings
from bridge.directory.handling import When

if TYPE_CHECKING:
    from bridge.calls.call import Call


class Targets:
    """Finds it for all calls."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def diverted(self, call: Call, when: When) -> Called | None:
        """Find where the line that is called lets its calls go, None: nowhere else, or not this call.

        Whom calls are diverted to can still call the line.
        """
        line = call.called.line
        number = self._around.handlings.get(line.name).to(when) if line is not None else None
        if line is None or number is None:
            return None
        called = destination(number, self._around.directory)
        if not called.known:
            outsider = call.caller.trunk is not None
            called = self._around.outsides.called(number, Asked(line.name, "diverted", for_outsider=outsider))
        back = called.line is not None and called.line.name == call.caller.line
        return called if called.known and not back and not call.way.has_been_at(called) else None

    def overflow(self, call: Call, number: str) -> Called | None:
        """Find where an overflow leads; a group is not tried twice."""
        group = self._around.directory.group(number)
        called = Called(number, group=group) if group else destination(number, self._around.directory)
        if called.group is not None and not called.group.active:
            return None
        return called if called.known and not call.way.has_been_at(called) else None

    def dialled(self, line: str, number: str) -> Called:
        """Find what a number is that is dialled in the name of a line."""
        called = destination(number, self._around.directory)
        return called if called.known else self._around.outsides.called(number, Asked(line))
