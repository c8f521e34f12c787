"""Weekly hours against the clock on the wall."""

from __future__ import annotations

import datetime
import math
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.hours import Hours, Span

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = (
    1_795_388_400.0  # 23 November 2026, 00:00 in Berlin; two years of weeks around it have four changes of the clock
)
WEEKS = 52 * 7 * 86400.0

MINUTES = st.integers(0, 24 * 60)
SPANS = st.builds(
    lambda days, ends: Span(tuple(sorted(days)), min(ends), max(ends)),
    st.sets(st.integers(0, 6), min_size=1),
    st.lists(MINUTES, min_size=2, max_size=2, unique=True),
)
HOURS = st.builds(lambda spans: Hours(tuple(spans), BERLIN), st.lists(SPANS, min_size=1, max_size=4))
MOMENTS = st.floats(MONDAY - WEEKS, MONDAY + WEEKS)


@given(HOURS, MOMENTS)
def test_nothing_changes_between_two_changes(hours: Hours, wall: float) -> None:
    """From the last change to the next all is one; at each of them it turns."""
    now = hours.contain(wall)
    before, after = hours.last_change(wall), hours.next_change(wall)
    if after is None or before is None:
        assert before is after is None
        return
    assert before <= wall < after
    for share in (0.0, 0.25, 0.5, 0.75):
        assert hours.contain(before + share * (after - before)) is now
    assert hours.contain(after) is not now
    assert hours.contain(before - 0.5) is not now


@given(HOURS, MOMENTS)
def test_what_the_clock_shows_is_what_counts(hours: Hours, wall: float) -> None:
    """Within is when the clock on the wall is, the nights apart in which it is set."""
    local = datetime.datetime.fromtimestamp(math.floor(wall), BERLIN)  # which rounds, else, into the next minute
    if local.month in (3, 10) and local.weekday() == 6:
        return
    minute = local.hour * 60 + local.minute
    shown = any(local.weekday() in span.days and span.begin <= minute < span.end for span in hours.spans)
    assert hours.contain(wall) is shown
