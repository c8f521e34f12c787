"""Weekly hours, as a group is open and as a member is at work: `mon-fri 09:00-12:30`.

Hours are told in local time. What a span means in real time is asked of the calendar day by day, so a span is where
the clock on the wall says, also in the weeks in which summer time begins and ends.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_RIGHT = 'write "mon-fri 09:00-12:30" or "sat 10:00-14:00"'
_FAR = 15  # days; every change that there is lies within, also where the beginning of summer time leaves one out

Interval = tuple[float, float]  # UTC seconds: begin, and the first moment after


@dataclass(frozen=True, slots=True)
class Span:
    """The same hours on some days of the week. `days`: 0 is Monday; `begin`, `end`: minutes after midnight."""

    days: tuple[int, ...]
    begin: int
    end: int


def parse_span(text: str) -> Span:
    """Return what `mon-fri 09:00-12:30` says; days may go round the week's end. Raises ValueError."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:60]!r} are no hours; {_RIGHT}")
    first, last, *clock = found.groups()
    for day in (first, last or first):
        if day not in DAYS:
            raise ValueError(f"{text[:60]!r}: {day!r} is no day; right are {', '.join(DAYS)}")
    from_hour, from_minute, to_hour, to_minute = map(int, clock)
    begin, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or from_hour > 23 or end > 24 * 60:
        raise ValueError(f"{text[:60]!r} has a time that no clock shows; {_RIGHT}")
    if end <= begin:
        raise ValueError(f"{text[:60]!r} ends before it begins; write two spans, one to 24:00 and one from 00:00")
    start = DAYS.index(first)
    length = (DAYS.index(last or first) - start) % 7 + 1
    return Span(tuple((start + day) % 7 for day in range(length)), begin, end)


@dataclass(frozen=True)
class Hours:
    """Spans of a week. `zone` None: the machine's own. All times are UTC seconds."""

    spans: tuple[Span, ...]
    zone: datetime.tzinfo | None = None

    @classmethod
    def of(cls, texts: Iterable[str], zone: datetime.tzinfo | None = None) -> Hours | None:
        """Return what a list of spans says, None for none. Raises ValueError."""
        spans = tuple(map(parse_span, texts))
        return cls(spans, zone) if spans else None

    def contain(self, wall: float) -> bool:
        """Whether a moment is within."""
        return any(begin <= wall < end for begin, end in self._around(wall))

    def next_change(self, wall: float) -> float | None:
        """Return when they begin or end next; None where they never do."""
        return min((edge for edge in self._edges(wall) if edge > wall), default=None)

    def last_change(self, wall: float) -> float | None:
        """Return when they began or ended last, `wall` included; None where they never do."""
        return max((edge for edge in self._edges(wall) if edge <= wall), default=None)

    def _edges(self, wall: float) -> Iterable[float]:
        """Yield the edges around a moment, without those that only the look ahead and back has made."""
        around = self._around(wall)
        inner = [edge for interval in around for edge in interval]
        near = (_FAR - 0.5) * 86400
        return (edge for edge in inner if abs(edge - wall) < near)

    def _around(self, wall: float) -> tuple[Interval, ...]:
        today = datetime.datetime.fromtimestamp(wall, self.zone).date()
        return _intervals(self.spans, self.zone, today)


@lru_cache(maxsize=512)
def _intervals(spans: tuple[Span, ...], zone: datetime.tzinfo | None, today: datetime.date) -> tuple[Interval, ...]:
    """Return the spans of the days around one, in order, those that touch as one."""
    found: set[Interval] = set()
    for offset in range(-_FAR - 1, _FAR + 2):
        day = today + datetime.timedelta(days=offset)
        for span in spans:
            if day.weekday() in span.days:
                found.add((_at(day, span.begin, zone), _at(day, span.end, zone)))
    # a span within the hour that is left out when summer time begins is none on that day
    real = sorted((begin, end) for begin, end in found if begin < end)
    merged: list[Interval] = []
    for begin, end in real:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def _at(day: datetime.date, minutes: int, zone: datetime.tzinfo | None) -> float:
    """Return a local time of a day; 24:00 is the next day's midnight."""
    days, minutes = divmod(minutes, 24 * 60)
    clock = datetime.time(minutes // 60, minutes % 60)
    return datetime.datetime.combine(day + datetime.timedelta(days=days), clock, zone).timestamp()
