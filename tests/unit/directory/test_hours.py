"""Weekly hours: what they contain, when they begin and end."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.directory.hours import Hours, parse_span

UTC = datetime.UTC
BERLIN = ZoneInfo("Europe/Berlin")


def hours(*texts: str, zone: datetime.tzinfo = UTC) -> Hours:
    """Return the hours of these spans."""
    found = Hours.of(texts, zone)
    assert found is not None
    return found


def at(day: int, clock: str, zone: datetime.tzinfo = UTC, month: int = 11) -> float:
    """Return a moment of 2026; 23 November is a Monday."""
    return datetime.datetime.combine(
        datetime.date(2026, month, day), datetime.time.fromisoformat(clock), zone
    ).timestamp()


def test_a_span_begins_and_ends_on_the_minute() -> None:
    """The first moment is within, the last is not."""
    morning = hours("mon-fri 09:00-12:30")
    assert not morning.contain(at(23, "09:00") - 0.001)
    assert morning.contain(at(23, "09:00"))
    assert morning.contain(at(23, "12:30") - 0.001)
    assert not morning.contain(at(23, "12:30"))
    assert not morning.contain(at(28, "10:00")), "a Saturday"


def test_several_spans() -> None:
    """They add up, and a lunch break is a change like any other."""
    week = hours("mon-fri 09:00-12:30", "mon-thu 13:30-17:00")
    assert week.next_change(at(23, "08:00")) == at(23, "09:00")
    assert week.next_change(at(23, "09:00")) == at(23, "12:30")
    assert week.next_change(at(23, "12:30")) == at(23, "13:30")
    assert week.next_change(at(27, "12:30")) == at(30, "09:00"), "Friday noon to Monday"
    assert week.last_change(at(29, "20:00")) == at(27, "12:30")
    assert week.last_change(at(23, "09:00")) == at(23, "09:00"), "this moment counts"


def test_spans_that_touch_are_one() -> None:
    """Nothing changes at midnight for who goes through it."""
    night = hours("fri 22:00-24:00", "sat 00:00-06:00")
    assert night.next_change(at(27, "22:00")) == at(28, "06:00")
    assert night.contain(at(28, "00:00"))


def test_days_go_round_the_end_of_the_week() -> None:
    """`sat-mon` is Saturday, Sunday and Monday."""
    weekend = hours("sat-mon 10:00-11:00")
    assert [weekend.contain(at(day, "10:30")) for day in (27, 28, 29, 30)] == [False, True, True, True]


def test_always_never_changes() -> None:
    """Hours that are all there are have no edge."""
    always = hours("mon-sun 00:00-24:00")
    assert always.contain(at(25, "03:00"))
    assert always.next_change(at(25, "03:00")) is None
    assert always.last_change(at(25, "03:00")) is None


def test_once_a_week() -> None:
    """The next time is found a week away."""
    sunday = hours("sun 10:00-11:00")
    assert sunday.next_change(at(22, "11:00")) == at(29, "10:00")
    assert sunday.last_change(at(29, "09:59")) == at(22, "11:00")


def test_summer_time() -> None:
    """Nine o'clock is what the clock on the wall says, before and after it is set; 29 March and 25 October 2026."""
    early = hours("mon-sun 09:00-10:00", zone=BERLIN)
    assert early.next_change(at(28, "10:00", BERLIN, 3)) == at(29, "07:00", UTC, 3)
    assert early.next_change(at(24, "10:00", BERLIN, 10)) == at(25, "08:00", UTC, 10)
    through = hours("sat-sun 00:00-24:00", zone=BERLIN)
    assert through.next_change(at(24, "12:00", BERLIN, 10)) == at(26, "00:00", BERLIN, 10)


def test_the_hour_that_is_left_out() -> None:
    """Half past two does not exist on 29 March; what would begin then and end at ten past three is not, that day."""
    left_out = hours("sun 02:30-03:10", zone=BERLIN)
    assert not left_out.contain(at(29, "01:05", UTC, 3))
    assert left_out.next_change(at(28, "12:00", BERLIN, 3)) == at(5, "02:30", BERLIN, 4)


def test_no_spans_are_no_hours() -> None:
    """An empty list says nothing."""
    assert Hours.of([]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9 to 5", "are no hours; write"),
        ("fry 09:00-17:00", "'fry' is no day; right are mon, tue"),
        ("mon 25:00-26:00", "no clock shows"),
        ("mon 09:60-10:00", "no clock shows"),
        ("mon 10:00-24:01", "no clock shows"),
        ("mon 22:00-06:00", "ends before it begins; write two spans"),
        ("mon 09:00-09:00", "ends before it begins"),
    ],
)
def test_mistakes_say_what_would_be_right(text: str, says: str) -> None:
    """Hours that cannot be read are refused in words."""
    with pytest.raises(ValueError, match=says):
        parse_span(text)
