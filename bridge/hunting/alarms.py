"""At most one alarm per candidate, in a heap.

An alarm that is moved or taken back leaves its old entry in the heap; an entry counts only while it equals
the candidate's own `alarm`, and what does not count is dropped when it comes to the top.
"""

from __future__ import annotations

import heapq
import math

from bridge.hunting.candidate import Candidate


class Alarms:
    """When which candidate is to be attended to; times are seconds, monotonic."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Candidate]] = []

    def set(self, candidate: Candidate, at: float) -> None:
        """Set or move a candidate's alarm; `math.inf` takes it back."""
        if at == candidate.alarm:
            return
        candidate.alarm = at
        if at != math.inf:
            heapq.heappush(self._heap, (at, candidate.place, candidate))

    def first(self) -> float:
        """Return the time of the earliest alarm, `math.inf` without any."""
        heap = self._heap
        while heap and heap[0][0] != heap[0][2].alarm:
            heapq.heappop(heap)
        return heap[0][0] if heap else math.inf

    def due(self, now: float) -> list[Candidate]:
        """Take out and return the candidates whose time has come, earliest first."""
        found: list[Candidate] = []
        while self.first() <= now:
            candidate = heapq.heappop(self._heap)[2]
            candidate.alarm = math.inf
            found.append(candidate)
        return found
