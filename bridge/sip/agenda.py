"""One heap of deadlines for everything that waits: transactions, legs, calls.

Whoever waits has a `due` (seconds, monotonic, or None) and a `tick(now)`. Moving a deadline is setting `due` and
arming again; what is stale in the heap is skipped when its time comes, and swept out when it is a third of the heap, so
that memory goes with what waits and not with how far ahead it waited.

Most of what waits is transactions that are over and stay for half a minute to absorb repeats. To them a moment more is
nothing: those of the same quarter of a second share one entry.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from math import ceil
from typing import Protocol

_SWEEP_FROM = 256
_ROUGHLY = 0.25  # seconds


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
        self._rough: dict[float, tuple[float, list[Timed]]] = {}  # by deadline, which is one object for all of them
        self._rough_dues: list[float] = []  # a heap

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

    def arm_roughly(self, who: Timed, due: float) -> float:
        """Set a deadline that may come a quarter of a second late; return it."""
        self.arm(who, None)
        rounded = ceil(due / _ROUGHLY) * _ROUGHLY
        entry = self._rough.get(rounded)
        if entry is None:
            entry = self._rough[rounded] = (rounded, [])
            heapq.heappush(self._rough_dues, rounded)
        who.due = entry[0]
        entry[1].append(who)
        return entry[0]

    def deadline(self) -> float | None:
        """Return the soonest deadline, None where nothing waits."""
        heap = self._heap
        while heap and heap[0][2].who is None:
            heapq.heappop(heap)
        soonest = heap[0][0] if heap else None
        if self._rough_dues and (soonest is None or self._rough_dues[0] < soonest):
            return self._rough_dues[0]
        return soonest

    def tick(self, now: float) -> None:
        """Call everybody whose deadline has come, in order."""
        while self._heap and self._heap[0][0] <= now:
            who = heapq.heappop(self._heap)[2].who
            if who is not None:
                del self._cells[who]
                who.due = None
                who.tick(now)
        while self._rough_dues and self._rough_dues[0] <= now:
            due, waiting = self._rough.pop(heapq.heappop(self._rough_dues))
            for who in waiting:
                if who.due is due:  # the very object: else it has been armed anew since
                    who.due = None
                    who.tick(now)

    def waiting(self) -> Iterator[Timed]:
        """Yield whoever has a deadline now."""
        yield from self._cells
        for due, waiting in self._rough.values():
            yield from (who for who in waiting if who.due is due)

    def __len__(self) -> int:
        return len(self._heap) + sum(len(waiting) for _, waiting in self._rough.values())
