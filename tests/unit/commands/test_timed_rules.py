"""The rules of logging in that time is in: leases, schedules, the clock, pauses."""

from __future__ import annotations

import pytest

from tests.support.rules import WORK, Rule, ensure_holds

LEASES = [
    Rule(
        "in for 2 h: ends by itself, and the one before returns",
        ("08:00 button anna login support anna for 2h", "09:59"),
        {"anna": "in, by anna, until 10:00"},
    ),
    Rule(
        "in for 2 h: is over",
        ("08:00 button anna login support anna for 2h", "10:00"),
        {"anna": "out, by bridge"},
    ),
    Rule(
        "out until 14:00: back in",
        ("08:00 button anna login support anna", "12:00 button anna logout support anna until 14:00", "14:00"),
        {"anna": "in, by bridge"},
    ),
    Rule(
        "survives a restart",
        ("08:00 button anna login support anna", "12:00 mqtt anna logout support anna until 14:00", "13:00 restart"),
        {"anna": "out, by anna, until 14:00"},
    ),
    Rule(
        "ends after a restart as if there had been none",
        (
            "08:00 button anna login support anna",
            "12:00 mqtt anna logout support anna for 2h",
            "13:00 restart",
            "14:00",
        ),
        {"anna": "in, by bridge"},
    ),
    Rule(
        "the latest action by hand wins: own",
        ("08:00 button anna login support anna for 2h", "09:00 button anna login support anna", "12:00"),
        {"anna": "in, by anna"},
    ),
    Rule(
        "the latest action by hand wins: the leader's over one's own",
        ("08:00 button anna login support anna for 8h", "09:00 mqtt cara logout support anna", "16:00"),
        {"anna": "out, by cara"},
    ),
    Rule(
        "the latest action by hand wins: one's own over the leader's",
        ("08:00 mqtt cara logout support anna for 8h", "09:00 button anna login support anna", "17:00"),
        {"anna": "in, by anna"},
    ),
    Rule(
        "the latest lease wins while it runs; one that runs longer returns",
        ("08:00 mqtt cara login support anna until 17:00", "12:00 button anna logout support anna for 1h", "13:00"),
        {"anna": "in, by cara, until 17:00"},
    ),
    Rule(
        "a lease that has ended meanwhile does not return, but what was before it",
        ("08:00 mqtt cara login support anna until 12:30", "12:00 button anna logout support anna for 1h", "13:00"),
        {"anna": "out, by anna"},
    ),
    Rule(
        "a lease is made longer or shorter by another one",
        (
            "08:00 button anna login support anna for 8h",
            "09:00 button anna login support anna for 1h",
            "10:00",
        ),
        {"anna": "out, by bridge"},
    ),
    Rule(
        "in for 2 h, who was in: the one before returns, and that was in",
        ("08:00 button anna login support anna", "09:00 button anna login support anna for 2h", "11:00"),
        {"anna": "in, by anna"},
    ),
    Rule(
        "an end that has passed is refused",
        ("08:00 button anna login support anna until 2026-11-23T07:00:00Z",),
        {"anna": "out"},
        refused="bad_request",
    ),
]

SCHEDULES = [
    Rule("in when the schedule begins", ("08:00", "09:00"), {"anna": "in, by schedule"}, {"anna": WORK}),
    Rule("out when it ends", ("08:00", "12:30"), {"anna": "out, by schedule"}, {"anna": WORK}),
    Rule("in again after lunch", ("08:00", "13:30"), {"anna": "in, by schedule"}, {"anna": WORK}),
    Rule("not on other days", ("fri 16:00",), {"anna": "out, by schedule"}, {"anna": WORK}),
    Rule(
        "what is done by hand holds until the schedule turns next",
        ("08:00", "10:00 button anna logout support anna", "12:29"),
        {"anna": "out, by anna"},
        {"anna": WORK},
    ),
    Rule(
        "then the schedule has its way again",
        ("08:00", "10:00 button anna logout support anna", "13:30"),
        {"anna": "in, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "a schedule never overrides a running lease: out",
        ("08:00 button anna logout support anna until 10:00", "09:30"),
        {"anna": "out, by anna, until 10:00"},
        {"anna": WORK},
    ),
    Rule(
        "a schedule never overrides a running lease: in",
        ("12:00 button anna login support anna for 1h", "12:45"),
        {"anna": "in, by anna, until 13:00"},
        {"anna": WORK},
    ),
    Rule(
        "when a lease ends, the schedule's state returns: in",
        ("08:00 button anna logout support anna until 10:00", "10:00"),
        {"anna": "in, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "when a lease ends, the schedule's state returns: out, though the one before was in",
        ("08:00", "12:00 button anna login support anna for 1h", "13:00"),
        {"anna": "out, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "when a lease ends, one that still runs goes before the schedule",
        (
            "08:00",
            "11:00 mqtt cara login support anna until 20:00",
            "12:00 button anna logout support anna for 1h",
            "13:00",
        ),
        {"anna": "in, by cara, until 20:00"},
        {"anna": WORK},
    ),
    Rule(
        "ended by hand after the schedule has turned: the hand was later",
        ("08:00", "12:00 button anna login support anna for 1h", "12:40 button anna login support anna", "13:20"),
        {"anna": "in, by anna"},
        {"anna": WORK},
    ),
    Rule(
        "a turn that came while the bridge was down is made up for",
        ("08:00 button anna logout support anna", "08:30 restart after 60"),
        {"anna": "in, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "a restart by itself is no turn",
        ("08:00", "10:00 button anna logout support anna", "11:00 restart"),
        {"anna": "out, by anna"},
        {"anna": WORK},
    ),
]

CLOCK = [
    Rule(
        "a clock that is not right turns no schedule",
        ("08:00 clock wrong", "08:00 restart", "10:00"),
        {"anna": "out"},
        {"anna": WORK},
    ),
    Rule(
        "as soon as it is right, the schedule is made up for",
        ("08:00 clock wrong", "08:00 restart", "10:00 clock right"),
        {"anna": "in, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "what was done by hand meanwhile was later than the turn",
        ("08:00 clock wrong", "08:00 restart", "09:50 button anna login support anna", "13:00 clock right"),
        {"anna": "out, by schedule"},
        {"anna": WORK},
    ),
    Rule(
        "and holds until the next one",
        ("08:00 clock wrong", "08:00 restart", "09:50 button anna logout support anna", "10:00 clock right"),
        {"anna": "out, by anna"},
        {"anna": WORK},
    ),
    Rule(
        "a time of day cannot be told",
        ("08:00 clock wrong", "09:00 button anna login support anna until 14:00"),
        {"anna": "out"},
        refused="clock_not_right",
    ),
    Rule(
        "a length of time can",
        ("08:00 clock wrong", "08:00 restart", "09:00 button anna login support anna for 2h", "10:59"),
        {"anna": "in, by anna, until 11:00"},
    ),
    Rule(
        "and ends in time",
        ("08:00 clock wrong", "08:00 restart", "09:00 button anna login support anna for 2h", "11:00"),
        {"anna": "out, by bridge"},
    ),
    Rule(
        "also when the clock becomes right meanwhile",
        (
            "08:00 clock wrong",
            "08:00 restart",
            "09:00 button anna login support anna for 2h",
            "10:00 clock right",
            "10:59",
        ),
        {"anna": "in, by anna, until 11:00"},
    ),
    Rule(
        "a lease told by a right clock waits for one",
        (
            "08:00 button anna login support anna",
            "09:00 button anna logout support anna until 10:00",
            "09:30 clock wrong",
            "09:30 restart",
            "11:00",
        ),
        {"anna": "out, by anna, until 10:00"},
    ),
    Rule(
        "and is over as soon as there is one",
        (
            "08:00 button anna login support anna",
            "09:00 button anna logout support anna until 10:00",
            "09:30 clock wrong",
            "09:30 restart",
            "11:00 clock right",
        ),
        {"anna": "in, by bridge"},
    ),
    Rule(
        "a pause is measured as a lease is",
        (
            "08:00 clock wrong",
            "08:00 restart",
            "08:30 button anna login support anna",
            "09:00 button anna pause support anna for 1h",
            "09:30 clock right",
            "10:00",
        ),
        {"anna": "in, by anna"},
    ),
]

PAUSES = [
    Rule(
        "paused with a reason and an end",
        ("08:00 button anna login support anna", "12:00 button anna pause support anna for 15m reason lunch"),
        {"anna": "in, by anna, paused until 12:15 (lunch)"},
    ),
    Rule(
        "ends by itself",
        ("08:00 button anna login support anna", "12:00 button anna pause support anna for 15m", "12:15"),
        {"anna": "in, by anna"},
    ),
    Rule(
        "without an end until it is ended",
        ("08:00 button anna login support anna", "12:00 button anna pause support anna", "23:00"),
        {"anna": "in, by anna, paused"},
    ),
    Rule(
        "survives a restart",
        ("08:00 button anna login support anna", "12:00 button anna pause support anna for 2h", "13:00 restart"),
        {"anna": "in, by anna, paused until 14:00"},
    ),
    Rule(
        "who is out cannot be paused",
        ("12:00 button anna pause support anna",),
        {"anna": "out"},
        refused="not_logged_in",
    ),
    Rule(
        "logging out ends a pause",
        (
            "08:00 button anna login support anna",
            "09:00 button anna pause support anna",
            "10:00 button anna logout support anna",
        ),
        {"anna": "out, by anna"},
        warned=True,
    ),
    Rule(
        "logging in ends a pause",
        (
            "08:00 button anna login support anna",
            "09:00 button anna pause support anna",
            "10:00 button anna login support anna",
        ),
        {"anna": "in, by anna"},
    ),
    Rule(
        "a pause does not outlive the login that a lease gave",
        ("08:00 button anna login support anna for 2h", "09:00 button anna pause support anna for 8h", "10:00"),
        {"anna": "out, by bridge"},
    ),
]


@pytest.mark.parametrize("rule", [*LEASES, *SCHEDULES, *CLOCK, *PAUSES], ids=str)
def test_rule(rule: Rule) -> None:
    """What is done comes to what the sentence says."""
    ensure_holds(rule)
