"""The night switch and what a group's being open follows from."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from bridge.directory.hours import Hours
from bridge.directory.instant import Instant
from bridge.directory.nights import UNTOUCHED, Night, NightState, opening
from tests.support.office import office

SUPPORT = office(hours=Hours.of(["mon-fri 09:00-12:30"], datetime.UTC)).groups["support"]
NO_HOURS = office().groups["support"]
AT_WORK, AT_HOME = 1_795_428_000.0, 1_795_392_000.0  # Monday 23 November 2026, 10:00 and 00:00


def test_by_its_hours() -> None:
    """Untouched, a group is open during its hours, and tells when they turn."""
    seen = opening(SUPPORT, UNTOUCHED, Instant(0.0, AT_WORK))
    assert (seen.open, seen.turns) == (True, AT_WORK + 2.5 * 3600)
    seen = opening(SUPPORT, UNTOUCHED, Instant(0.0, AT_HOME))
    assert (seen.open, seen.turns) == (False, AT_HOME + 9 * 3600)


@pytest.mark.parametrize("wall", [AT_WORK, AT_HOME])
def test_the_switch_overrides_the_hours(wall: float) -> None:
    """Open and closed by hand hold whatever the hours say, and nothing turns by itself."""
    for night, is_open in ((Night.OPEN, True), (Night.CLOSED, False)):
        seen = opening(SUPPORT, NightState(night), Instant(0.0, wall))
        assert (seen.open, seen.turns) == (is_open, None)


def test_without_hours_it_is_always_open() -> None:
    """But the switch still closes it."""
    assert opening(NO_HOURS, UNTOUCHED, Instant(0.0, AT_HOME)).open
    assert not opening(NO_HOURS, NightState(Night.CLOSED), Instant(0.0, AT_HOME)).open


def test_a_clock_that_is_not_right_closes_nobody() -> None:
    """Hours mean nothing to it; the switch still does."""
    lost = Instant(0.0, AT_HOME, synchronised=False)
    assert opening(SUPPORT, UNTOUCHED, lost).open
    assert opening(SUPPORT, UNTOUCHED, lost).turns is None
    assert not opening(SUPPORT, NightState(Night.CLOSED), lost).open


def test_an_inactive_group_is_closed() -> None:
    """Whatever its switch says."""
    assert not opening(replace(SUPPORT, active=False), NightState(Night.OPEN), Instant(0.0, AT_WORK)).open
