"""One heap of deadlines for everything that waits: transactions, legs, calls.

Whoever waits has a `due` (seconds, monotonic, or None) and a `tick(now)`. Moving a deadline is setting `due` and
arming again; what is stale in the heap is skipped when its time comes, and swept out when it is a third of the heap, so
that memory goes with what waits and not with how far ahead it waited.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Protocol

_SWEEP_FROM = 256


class Timed(Protocol):
    """Something with a deadline."""

    due: float | None

    def tick(self, now: float) -> None:
        """Let happen what is due at `now`; sets the next `due`."""


class _Cell:
    """Who waits for a deadline in the heap; emptied when it is moved, so that the heap keeps nobody alive."""

    __slots__ = ("who",)

    def __init__(self, who: Timed) -> None:
        self.who: Timed | None = who


class Agenda:
    """Deadlines, soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Cell]] = []
        self._cells: dict[Timed, _Cell] = {}  # of whoever waits
        self._count = 0

    def arm(self, who: Timed, due: float | None) -> None:
        """Set the deadline of `who`; None disarms it."""
        if due == who.due:
            return
        who.due = due
        before = self._cells.pop(who, None)
        if before is not None:
            before.who = None
        if due is not None:
            self._count += 1
            cell = self._cells[who] = _Cell(who)
            heapq.heappush(self._heap, (due, self._count, cell))
        if len(self._heap) > _SWEEP_FROM and 2 * len(self._heap) > 3 * len(self._cells):
            self._heap = [entry for entry in self._heap if entry[2].who is not None]
            heapq.heapify(self._heap)

    def deadline(self) -> float | None:
        """Return the soonest deadline, None where nothing waits."""
        heap = self._heap
        while heap and heap[0][2].who is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def tick(self, now: float) -> None:
        """Call everybody whose deadline has come, in order."""
        while self._heap and self._heap[0][0] <= now:
            who = heapq.heappop(self._heap)[2].who
            if who is not None:
                del self._cells[who]
                who.due = None
                who.tick(now)

    def waiting(self) -> Iterable[Timed]:
        """Return whoever has a deadline now."""
        return self._cells

    def __len__(self) -> int:
        return len(self._heap)
