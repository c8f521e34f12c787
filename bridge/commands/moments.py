"""Durations and points in time as people write them: "2h", "1h30m", "14:00", "2026-11-23T14:00:00Z"."""

from __future__ import annotations

import datetime
import math
import re

LONGEST = 366 * 86400.0  # seconds; a lease beyond a year is a slip of the finger

_UNITS = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def seconds(value: object) -> float:
    """Return a duration in seconds from a number of seconds or text like "2h", "15m", "1h30m", "1d", "90".

    Raises ValueError with what would be right.
    """
    if isinstance(value, str):
        length = _from_units(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool) and value <= LONGEST:
        length = float(value)
    else:
        length = math.nan
    if not 0 < length <= LONGEST:
        written = repr(value)[:40]
        right = 'seconds above 0, or "15m", "2h", "1h30m"; a year at most'
        raise ValueError(f"{written} is no duration; right are {right}")
    return length


def _from_units(text: str) -> float:
    if re.fullmatch(r"\d{1,8}", text, re.ASCII):
        return float(text)
    found = _UNITS.fullmatch(text)
    if not found or not text:
        return math.nan
    days, hours, minutes, rest = (int(part) if part else 0 for part in found.groups())
    return float(days * 86400 + hours * 3600 + minutes * 60 + rest)


def moment(text: str, wall: float, zone: datetime.tzinfo | None = None) -> float:
    """Return the UTC seconds that a clock time ("14:00": the next one) or an ISO 8601 date and time means.

    Without an offset of its own it is local time; `zone` None: the machine's. Raises ValueError with what
    would be right, also for a time that has passed.
    """
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        return _next(datetime.time(int(clock[1]), int(clock[2])), wall, zone)
    try:
        when = datetime.datetime.fromisoformat(text.strip())
        at = (when if when.tzinfo or zone is None else when.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f'{text!r} is no time; right are "14:00" or "2026-11-23T14:00:00Z"') from None
    if not wall < at <= wall + LONGEST:
        raise ValueError(f"{text!r} is not ahead of now, or more than a year away")
    return at


def _next(clock: datetime.time, wall: float, zone: datetime.tzinfo | None) -> float:
    today = datetime.datetime.fromtimestamp(wall, zone).date()
    for day in (today, today + datetime.timedelta(days=1)):
        at = datetime.datetime.combine(day, clock, zone).timestamp()
        if at > wall:
            return at
    return wall + 86400.0  # the clock was set back in between, so both have passed
