"""One heap of deadlines for everything that waits: transactions, legs, calls.

Whoever waits has a `due` (seconds, monotonic, or None) and a `tick(now)`. Moving a deadline is setting `due` and
arming again; what is stale in the heap is skipped when its time comes.
"""

from __future__ import annotations

import heapq
from typing import Protocol


class Timed(Protocol):
    """Something with a deadline."""

    due: float | None

    def tick(self, now: float) -> None:
        """Let happen what is due at `now`; sets the next `due`."""


class Agenda:
    """Deadlines, soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0

    def arm(self, who: Timed, due: float | None) -> None:
        """Set the deadline of `who`; None disarms it."""
        if due is not None and due != who.due:
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, who))
        who.due = due

    def deadline(self) -> float | None:
        """Return the soonest deadline, None where nothing waits."""
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def tick(self, now: float) -> None:
        """Call everybody whose deadline has come, in order."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, who = heapq.heappop(heap)
            if who.due == due:
                who.due = None
                who.tick(now)

    def __len__(self) -> int:
        return len(self._heap)
