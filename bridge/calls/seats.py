"""The seats of a call: the legs that talk, or want to, and the lines of ours that they keep busy."""

from __future__ import annotations

from bridge.calls.switch import Switch
from bridge.calls.talk import Talk
from bridge.sip.leg import Leg


class Seats:
    """One call's. Every leg counts on its line from `take` to `leave`."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._lines: dict[Leg, str | None] = {}

    @property
    def lines(self) -> set[str]:
        """The lines that are kept busy."""
        return {line for line in self._lines.values() if line is not None}

    def line_of(self, leg: Leg) -> str | None:
        """Return the line that a leg keeps busy."""
        return self._lines.get(leg)

    def legs_of(self, line: str, talk: Talk | None) -> list[Leg]:
        """Return the legs of a talk that are a line's."""
        sides = (talk.caller, talk.member) if talk is not None else ()
        return [leg for leg in sides if self._lines.get(leg) == line]

    def take(self, leg: Leg, line: str | None) -> None:
        """Count a leg as one on its line."""
        self._lines[leg] = line
        self._switch.count(line, calls=1)

    def leave(self, leg: Leg) -> str | None:
        """Take a leg out of its line's count; return the line."""
        line = self._lines.pop(leg, None)
        self._switch.count(line, calls=-1)
        return line

    def leave_all(self) -> None:
        """Take every leg out."""
        for leg in tuple(self._lines):
            self.leave(leg)

    def recount(self) -> None:
        """Count all anew, where nothing is counted yet."""
        for line in self._lines.values():
            self._switch.count(line, calls=1)
