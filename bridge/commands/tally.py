"""How many calls of each group were answered and abandoned today, from the events, at first from the journal."""

from __future__ import annotations

import datetime
import math
from collections import Counter

from bridge.events import Event, GroupCall

_SAME = 0.1  # seconds between what happens and the event that tells it; no restart is as short
COUNTED = frozenset({"answered", "abandoned"})


class Tally:
    """Counters that begin anew at each local midnight."""

    def __init__(self) -> None:
        self._day: datetime.date | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._first = math.inf  # when the first one was counted as it happened; all before is to be recalled

    def add(self, event: Event) -> None:
        """Count an event if it is a group's call answered or abandoned."""
        if isinstance(event, GroupCall) and event.event_type in COUNTED:
            self._first = min(self._first, event.wall)
            self._turn(event.wall)
            self._counts[event.group, event.event_type] += 1

    def recall(self, group: str, event_type: str, wall: float) -> None:
        """Count what happened before the start, where that was on the day of the last count, or is the first."""
        if wall > self._first - _SAME:
            return  # it was counted when it happened
        if event_type in COUNTED and self._day in (None, datetime.datetime.fromtimestamp(wall).date()):
            self._turn(wall)
            self._counts[group, event_type] += 1

    def today(self, group: str, event_type: str, wall: float) -> int:
        """Return how many there were since local midnight or the start; `wall` is UTC seconds."""
        self._turn(wall)
        return self._counts[group, event_type]

    def _turn(self, wall: float) -> None:
        day = datetime.datetime.fromtimestamp(wall).date()
        if day != self._day:
            self._day = day
            self._counts.clear()
