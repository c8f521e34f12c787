"""One heap of deadlines for everything that waits: transactions, legs, calls.

Whoever waits has a `due` (seconds, monotonic, or None) and a `tick(now)`. Moving a deadline is setting `due` and
arming again; what is stale in the heap is skipped when its time comes, and swept out when it is most of the heap, so
that memory goes with what waits and not with how far ahead it waited.
"""

from __future__ import annotations

import heapq
from typing import Protocol

_SWEEP_FROM = 256


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
        self._armed = 0  # how many wait

    def arm(self, who: Timed, due: float | None) -> None:
        """Set the deadline of `who`; None disarms it."""
        before = who.due
        if due == before:
            return
        who.due = due
        self._armed += (due is not None) - (before is not None)
        if due is not None:
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, who))
        if len(self._heap) > _SWEEP_FROM and len(self._heap) > 3 * self._armed:
            self._sweep()

    def deadline(self) -> float | None:
        """Return the soonest deadline, None where nothing waits."""
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def tick(self, now: float) -> None:
        """Call everybody whose deadline has come, in order."""
        while self._heap and self._heap[0][0] <= now:
            due, _, who = heapq.heappop(self._heap)
            if who.due == due:
                who.due = None
                self._armed -= 1
                who.tick(now)

    def _sweep(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].due == entry[0]]
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._heap)
