"""The rows of the bench: what is measured, beside whom, and how good it is to be.

The goals are those that the project was begun with. They were measured on one machine, most of them as what Asterisk
does there; where time is their measure they are scaled by `speed`: the time that Sippy takes for a call on this
machine beside the 4.9 ms that it took on that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

Results = Mapping[str, Mapping[str, float]]
"""Numbers by the name of the system and what they are."""

Value = Callable[[Results], float | None]

SIPPY_CPU = 4.9  # ms a call, on the machine that the goals were measured on
NAMES = {count: f"bridge, N={count}" for count in (1, 5, 20)}
LINES = "bridge, 1,000 lines"
UP = "bridge, 500 calls up"


class Measure(Enum):
    """How a goal is to be read on another machine."""

    TIME = "at most, scaled"
    RATE = "at least, scaled"
    SHARE = "at most"


class Goal(NamedTuple):
    """How good a row is to be."""

    limit: float
    measure: Measure = Measure.TIME

    def here(self, speed: float) -> float:
        """Return the limit on this machine."""
        if self.measure is Measure.SHARE:
            return self.limit
        return self.limit * speed if self.measure is Measure.TIME else self.limit / speed

    def met(self, number: float, speed: float) -> bool:
        """Tell whether a number is good enough."""
        return number >= self.here(speed) if self.measure is Measure.RATE else number <= self.here(speed)


class Row(NamedTuple):
    """One line of the table; `section` measures it."""

    title: str
    section: str
    ours: Value
    goal: Goal | None = None
    sippy: Value | None = None
    kamailio: Value | None = None


def at(system: str, what: str) -> Value:
    """Return how to find a number."""
    return lambda results: results.get(system, {}).get(what)


def beside(value: Value, other: Value) -> Value:
    """Return how to find the ratio of two numbers."""

    def ratio(results: Results) -> float | None:
        upper, lower = value(results), other(results)
        return upper / lower if upper is not None and lower else None

    return ratio


def less(value: Value, other: Value, parts: int) -> Value:
    """Return how to find the difference of two numbers, shared out."""

    def difference(results: Results) -> float | None:
        upper, lower = value(results), other(results)
        return (upper - lower) / parts if upper is not None and lower is not None else None

    return difference


def _row(title: str, section: str, what: str, count: int, goal: Goal | None, *, sippy: bool, kamailio: bool) -> Row:
    return Row(
        f"{title}, N={count}",
        section,
        at(NAMES[count], what),
        goal,
        at("Sippy", what) if sippy else None,
        at(f"Kamailio, N={count}", what) if kamailio else None,
    )


def _both(title: str, section: str, what: str, goal: Goal) -> Row:
    return _row(title, section, what, 1, goal, sippy=True, kamailio=True)


def _forked(title: str, section: str, what: str, count: int, goal: Goal) -> Row:
    return _row(title, section, what, count, goal, sippy=False, kamailio=True)


_CPU = {count: at(name, "cpu") for count, name in NAMES.items()}
_SHARE = Measure.SHARE

ROWS = (
    _both("INVITE in to first member's INVITE, ms", "delays", "first invite", Goal(1.54)),
    _both("member's 200 to caller's 200, ms", "delays", "answer", Goal(1.15)),
    _forked("first to last member's INVITE, ms", "delays", "all invites", 20, Goal(2.75)),
    _forked("winner's 200 to last CANCEL, ms", "delays", "all cancels", 20, Goal(2.3)),
    _both("CPU per call, ms", "cpu", "cpu", Goal(2.94)),
    _forked("CPU per call, ms", "cpu", "cpu", 5, Goal(6.23)),
    _forked("CPU per call, ms", "cpu", "cpu", 20, Goal(19.3)),
    Row(
        "CPU per member, from 5 to 20 beside from 1 to 5",
        "cpu",
        beside(less(_CPU[20], _CPU[5], 15), less(_CPU[5], _CPU[1], 4)),
        Goal(1.2, _SHARE),
    ),
    Row("CPU per call, 1,000 lines beside 10", "cpu", beside(at(LINES, "cpu"), _CPU[1]), Goal(1.1, _SHARE)),
    Row("CPU per call, 500 calls up beside none", "cpu", beside(at(UP, "cpu"), _CPU[1]), Goal(1.1, _SHARE)),
    _both("calls/s at under 1 % failed", "rate", "rate", Goal(400, Measure.RATE)),
    _forked("calls/s at under 1 % failed", "rate", "rate", 5, Goal(200, Measure.RATE)),
    _both("INVITE to 180 at 100 calls/s, median, ms", "steady", "ringing", Goal(7.2))._replace(goal=None),
    _both("INVITE to 180 at 100 calls/s, p99, ms", "steady", "ringing p99", Goal(7.2)),
    _both("memory at 100 calls/s, MiB", "steady", "busy memory", Goal(70, _SHARE)),
    _both("memory idle, MiB", "rest", "memory", Goal(50, _SHARE)),
    _both("idle CPU, %", "rest", "idle", Goal(0.2, _SHARE)),
    _both("start to first call answered, ms", "start", "start", Goal(600)),
)

GOALS = {
    "CPU with 20 lamps blinking slowly, %": Goal(1.0, _SHARE),
    "CPU with 20 lamps blinking fast, %": Goal(1.0, _SHARE),
    "button to lamp, logged out, confirmed, p99, ms": Goal(20, _SHARE),
    "button to MQTT state at a subscriber, p99, ms": Goal(50, _SHARE),
    "1 caller waiting: CPU each, % of a core": Goal(0.5, _SHARE),
    "20 waiting: CPU each, % of a core": Goal(0.5, _SHARE),
    "100 waiting: CPU each, % of a core": Goal(0.5, _SHARE),
    "100 waiting: off the pace of 20 ms, mean, ms": Goal(1.0, _SHARE),
    "100 waiting: jitter (RFC 3550), worst, ms": Goal(1.0, _SHARE),
}
"""Of the rows that sections name themselves."""


def speed(results: Results) -> float | None:
    """Return how long a call takes here beside the machine of the goals; None where that was not measured."""
    here = at("Sippy", "cpu")(results)
    return here / SIPPY_CPU if here else None
