"""The way of a call: the groups, lines and numbers that it has come to, in order, so that it goes nowhere twice."""

from __future__ import annotations

from bridge.calls.parties import Called
from bridge.directory.model import Group


class Way:
    """Where one call has been."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self._numbers: tuple[str, ...] = ()
        self._lines: set[str] = set()
        self._outside = False

    def turn_to(self, called: Called) -> None:
        """Note where the call comes to now."""
        number = called.group.number if called.group else called.line.number if called.line else called.number
        self._numbers += (number or called.number,)
        if called.group:
            self.groups.append(called.group)
        if called.line:
            self._lines.add(called.line.name)
        self._outside = self._outside or called.outside is not None

    def has_been_at(self, called: Called) -> bool:
        """Whether the call has been searching there: in the group, at the line, or outside at all."""
        if called.group is not None:
            return self.has_visited(called.group.name)
        if called.outside is not None:
            return self._outside
        return called.line is not None and called.line.name in self._lines

    def has_visited(self, group: str) -> bool:
        """Whether the call has been searching in a group, by its name."""
        return any(each.name == group for each in self.groups)

    def diverters(self, called: Called) -> tuple[str, ...]:
        """Return the numbers that have sent the call on to where it is to ring (`called`), in their order."""
        return self._numbers if called.group is not None else self._numbers[:-1]
