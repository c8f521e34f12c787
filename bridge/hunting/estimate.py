"""How long a caller will probably wait. Nothing is promised while nothing is known.

The estimate is how long this group's calls have kept an agent (talk and wrap-up, the mean of the last `KEPT`), times
the callers who are to be served first, this one included, shared among the agents who are there. It says nothing where
fewer than `ENOUGH` calls have been seen, where no agent is there, or where it would say more than `MOST`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

ENOUGH = 3
KEPT = 20
MOST = 3600.0  # seconds


class Pace:
    """How long the latest calls of each group kept an agent, seconds."""

    def __init__(self) -> None:
        self.touched = False
        self._seconds: dict[str, deque[float]] = {}

    def note(self, group: str, seconds: float) -> None:
        """Note that a call kept an agent for so long."""
        self._seconds.setdefault(group, deque(maxlen=KEPT)).append(round(max(seconds, 0.0), 1))
        self.touched = True

    def estimate(self, group: str, position: int, agents: int) -> float | None:
        """Return in how many seconds a caller at this position will probably be served; None: nobody can tell."""
        seen = self._seconds.get(group, ())
        if len(seen) < ENOUGH or agents < 1 or position < 1:
            return None
        seconds = sum(seen) / len(seen) * position / agents
        return seconds if seconds <= MOST else None

    def dump(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        self.touched = False
        return {group: list(seconds) for group, seconds in self._seconds.items()}

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take it up again. Raises TypeError or ValueError where it cannot be read."""
        for group, seconds in kept.items():
            read = [float(each) for each in seconds]
            self._seconds[str(group)] = deque((s for s in read if math.isfinite(s) and s >= 0), KEPT)


def minutes(seconds: float) -> int:
    """Return an estimate as people say it, in whole minutes, rather too many than too few."""
    return max(1, math.ceil(seconds / 60))
