"""What each line is doing: how many calls are on it, whether it rings, whether its phone can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bridge.calls.status import LineState, LineStatus
from bridge.directory.model import Line


class LineUse:
    """One line's counts. `offers`: rung by us; `rings`: of these, phones that said 18x; `calls`: talking or calling.

    `known`: what the line's PBX tells of it, None where it tells nothing.
    """

    __slots__ = ("calls", "known", "offers", "rings", "since", "state")

    def __init__(self) -> None:
        self.offers = 0
        self.rings = 0
        self.calls = 0
        self.known: LineState | None = None
        self.state = LineState.UNKNOWN
        self.since = 0.0


class LineTable:
    """The use of every configured line.

    `changed` collects the lines that may be rung now and could not before, or the other way round for want of a phone:
    that is what hunts wait for. They are not told of each count, which would cost a busy line's every call a look from
    every other one.
    """

    def __init__(
        self, lines: Mapping[str, Line], contacts: Callable[[str], tuple[str, ...]], wall: Callable[[], float]
    ) -> None:
        self._lines = lines
        self._contacts = contacts
        self._wall = wall
        self._use = {name: LineUse() for name in lines}
        self.changed: list[str] = []
        self.touched: set[str] = set()  # lines whose counts or state have changed, for lamps
        self.restated: list[tuple[str, LineState]] = []  # lines with a new state, for the doors
        for name in lines:
            self.refresh(name)

    def configure(self, lines: Mapping[str, Line]) -> None:
        """Go by other lines from now on; nothing is on any of them, until it is counted again."""
        self.changed.extend(name for name in self._lines if name not in lines)
        self._lines = lines
        use = self._use
        self._use = {name: use.get(name) or LineUse() for name in lines}
        for each in self._use.values():
            each.offers = each.rings = each.calls = 0

    def settle(self) -> None:
        """Note, after a `configure` and what was counted since, that every line may have changed."""
        for name in self._lines:
            self.refresh(name)

    def use(self, line: str) -> LineUse:
        """Return a line's counts."""
        return self._use[line]

    def uses(self) -> Iterable[LineUse]:
        """Return every line's counts."""
        return self._use.values()

    def reachable(self, line: str) -> bool:
        """Whether the line's phone can be rung as far as is known."""
        return self._lines[line].trunk is not None or self._has_contact(line)

    def count(self, line: str, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's counts."""
        use = self._use.get(line)
        if use is not None:
            self.touched.add(line)
            had_room = self._has_room(line, use)
            use.offers += offers
            use.rings += rings
            use.calls += calls
            if not had_room and self._has_room(line, use):
                self.changed.append(line)
            self._restate(line, use)

    def _has_room(self, line: str, use: LineUse) -> bool:
        return use.calls + use.offers < self._lines[line].max_calls

    def know(self, line: str, state: LineState | None) -> None:
        """Note what a line's PBX tells of it; None: nothing (any more)."""
        use = self._use.get(line)
        if use is not None and use.known is not state:
            use.known = state
            self.refresh(line)

    def calls(self, line: str) -> int:
        """Return how many calls are on a line, one that only its PBX knows of included."""
        use = self._use[line]
        return max(use.calls, 1) if use.known is LineState.BUSY else use.calls

    def refresh(self, line: str) -> None:
        """Note that a line's reachability may have changed."""
        self.changed.append(line)
        self.touched.add(line)
        self._restate(line, self._use[line])

    def _restate(self, line: str, use: LineUse) -> None:
        state = self._state(line, use)
        if state is not use.state or use.since == 0.0:
            use.state, use.since = state, self._wall()
            self.restated.append((line, state))

    def _state(self, line: str, use: LineUse) -> LineState:
        if use.calls > 0:
            return LineState.BUSY
        if use.rings > 0:
            return LineState.RINGING
        found = self._lines[line]
        if found.trunk is not None or found.modem is not None:
            return use.known or LineState.UNKNOWN
        return LineState.IDLE if self._has_contact(line) else LineState.UNREACHABLE

    def _has_contact(self, line: str) -> bool:
        """Whether the phone of a line that is behind no trunk is somewhere; where it always is, nobody is asked."""
        return self._lines[line].contact is not None or bool(self._contacts(line))

    def status(self, line: str) -> LineStatus:
        """Return a line's state for others to see."""
        use = self._use[line]
        return LineStatus(line, use.state, use.since, self._contacts(line))
