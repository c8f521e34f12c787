"""The rules of logging in, each as a sentence of the design: what is done, and what must have come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.directory.hours import Hours
from bridge.directory.model import Directory, LastOut, Level
from tests.support.clerk import UTC, Clerk, with_member
from tests.support.office import office


@dataclass(frozen=True)
class Rule:
    """A sentence; what is done, step by step; what is true then. `members`: keys of members' tables; `group`: of
    the group's; `refused`: the code of the last step's refusal; `warned`: whether the last step is warned of.
    """

    sentence: str
    steps: tuple[str, ...]
    then: dict[str, str] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None
    warned: bool = False


WORK = {"schedule": Hours.of(["mon-fri 09:00-12:30", "mon-thu 13:30-17:00"], UTC)}

DOORS = [
    Rule(
        f"all doors are equal: {door}",
        (f"08:00 {door} anna login support anna", f"09:00 {door} anna pause support anna"),
        {"anna": "in, by anna, paused"},
    )
    for door in ("button", "panel", "mqtt", "control", "phone")
]

USERS_SURVIVE = [
    Rule(
        f"a login made for a user, from any door, survives restarts: {door}",
        (f"08:00 {door} anna login support anna", "20:00 restart"),
        {"anna": "in, by anna"},
    )
    for door in ("button", "panel", "mqtt", "control", "phone")
]

DEVICES = [
    Rule(
        "a login made for a device with its phone is reset to out at restart",
        ("08:00 phone lobby login support lobby", "09:00 restart"),
        {"lobby": "out, by bridge"},
    ),
    *(
        Rule(
            f"one made for it once through any other door makes it permanent: {door}",
            (f"08:00 {door} owner login support lobby", "09:00 restart"),
            {"lobby": "in, by owner"},
        )
        for door in ("button", "panel", "mqtt", "control")
    ),
    Rule(
        "made by phone, then through another door: permanent, though it was in already",
        ("08:00 phone lobby login support lobby", "08:30 mqtt owner login support lobby", "09:00 restart"),
        {"lobby": "in, by owner"},
    ),
    Rule(
        "from then on it is treated as a user is: logins by phone survive too",
        (
            "08:00 mqtt owner login support lobby",
            "08:10 phone lobby logout support lobby",
            "08:20 phone lobby login support lobby",
            "09:00 restart",
        ),
        {"lobby": "in, by lobby"},
    ),
    Rule(
        "until it is logged out through a door other than its phone",
        (
            "08:00 mqtt owner login support lobby",
            "08:10 button owner logout support lobby",
            "08:20 phone lobby login support lobby",
            "09:00 restart",
        ),
        {"lobby": "out, by bridge"},
    ),
    Rule(
        "a lease through another door makes it permanent as well",
        (
            "08:00 mqtt owner login support lobby for 1h",
            "10:00 phone lobby login support lobby",
            "11:00 restart",
        ),
        {"lobby": "in, by lobby"},
    ),
    Rule(
        "a lease does not save from the restart what it stands in front of",
        (
            "08:00 phone lobby login support lobby",
            "08:10 mqtt owner logout support lobby for 2h",
            "09:00 restart",
            "11:00",
        ),
        {"lobby": "out, by bridge"},
    ),
]

RESTARTS = [
    Rule(
        "restart = keep: also what a device's phone made",
        ("08:00 phone lobby login support lobby", "09:00 restart"),
        {"lobby": "in, by lobby"},
        members={"lobby": {"restart": "keep"}},
    ),
    Rule(
        "restart = reset: users too",
        ("08:00 button anna login support anna", "09:00 restart"),
        {"anna": "out, by bridge"},
        members={"anna": {"restart": "reset"}},
    ),
    Rule(
        "restart = reset ends a lease and what it stands in front of",
        (
            "08:00 button anna login support anna",
            "08:10 button anna logout support anna for 2h",
            "09:00 restart",
            "11:00",
        ),
        {"anna": "out, by bridge"},
        members={"anna": {"restart": "reset"}},
    ),
    Rule(
        "restart = keep-if-younger-than 8h: younger",
        ("08:00 button anna login support anna", "15:59 restart"),
        {"anna": "in, by anna"},
        members={"anna": {"restart": "keep-if-younger-than 8h"}},
    ),
    Rule(
        "restart = keep-if-younger-than 8h: older",
        ("08:00 button anna login support anna", "16:00 restart"),
        {"anna": "out, by bridge"},
        members={"anna": {"restart": "keep-if-younger-than 8h"}},
    ),
    Rule(
        "restart = reset with a schedule: from then on the schedule says what holds",
        ("08:00 button anna login support anna", "09:30 restart"),
        {"anna": "in, by schedule"},
        members={"anna": {"restart": "reset", **WORK}},
    ),
    Rule(
        "a login that a device's schedule made is not the phone's, and stays",
        ("10:00 restart", "11:00 restart"),
        {"lobby": "in, by schedule"},
        members={"lobby": WORK},
    ),
]

STATIC = [
    Rule(
        "login = always: in from the start", ("08:00 restart",), {"anna": "in, by bridge"}, {"anna": {"always": True}}
    ),
    Rule(
        "login = always: cannot log out",
        ("08:00 restart", "09:00 button anna logout support anna"),
        {"anna": "in, by bridge"},
        {"anna": {"always": True}},
        refused="static",
    ),
    Rule(
        "login = always: not for a while either, nor in for a while",
        ("08:00 restart", "09:00 button anna login support anna for 1h"),
        {"anna": "in, by bridge"},
        {"anna": {"always": True}},
        refused="static",
    ),
    Rule(
        "login = always: can pause",
        ("08:00 restart", "09:00 button anna pause support anna for 15m reason lunch"),
        {"anna": "in, by bridge, paused until 09:15 (lunch)"},
        {"anna": {"always": True}},
    ),
    Rule(
        "login = always: a lease from before it became so is over",
        ("08:00 button anna login support anna for 4h", "09:00 always anna", "13:00"),
        {"anna": "in, by anna"},
    ),
]

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

LAST_OUT = [
    Rule(
        "last_out = warn by default: done, and warned of",
        ("08:00 button anna login support anna", "09:00 button anna logout support anna"),
        {"anna": "out, by anna"},
        warned=True,
    ),
    Rule(
        "last_out = allow: nothing is said",
        ("08:00 button anna login support anna", "09:00 button anna logout support anna"),
        {"anna": "out, by anna"},
        group={"last_out": LastOut.ALLOW},
    ),
    Rule(
        "last_out = refuse",
        ("08:00 button anna login support anna", "09:00 button anna logout support anna"),
        {"anna": "in, by anna"},
        group={"last_out": LastOut.REFUSE},
        refused="last_one",
    ),
    Rule(
        "last_out = refuse: for a while is leaving too",
        ("08:00 button anna login support anna", "09:00 button anna logout support anna for 5m"),
        {"anna": "in, by anna"},
        group={"last_out": LastOut.REFUSE},
        refused="last_one",
    ),
    Rule(
        "who is not the last may go",
        (
            "08:00 button anna login support anna",
            "08:00 button ben login support ben",
            "09:00 button anna logout support anna",
        ),
        {"anna": "out, by anna"},
        group={"last_out": LastOut.REFUSE},
    ),
    Rule(
        "a group with a static member is never left",
        ("08:00 restart", "08:00 button anna login support anna", "09:00 button anna logout support anna"),
        {"anna": "out, by anna"},
        members={"ben": {"always": True}},
        group={"last_out": LastOut.REFUSE},
    ),
    Rule(
        "a pause leaves no group",
        ("08:00 button anna login support anna", "09:00 button anna pause support anna"),
        {"anna": "in, by anna, paused"},
        group={"last_out": LastOut.REFUSE},
    ),
    Rule(
        "a lease that ends asks nobody",
        ("08:00 button anna login support anna for 1h", "09:00"),
        {"anna": "out, by bridge"},
        group={"last_out": LastOut.REFUSE},
    ),
]

WHO_MAY = [
    Rule(
        "a user may always change its own login",
        ("08:00 button anna login support anna",),
        {"anna": "in, by anna"},
        group={"member_level": Level.NONE, "services": frozenset()},
    ),
    Rule(
        "a device may always change its own login",
        ("08:00 phone lobby login support lobby",),
        {"lobby": "in, by lobby"},
        group={"member_level": Level.NONE, "services": frozenset()},
    ),
    Rule(
        "supervise: leaders log members in and out", ("08:00 mqtt cara login support lobby",), {"lobby": "in, by cara"}
    ),
    Rule(
        "without it they do not",
        ("08:00 mqtt cara login support anna",),
        {"anna": "out"},
        group={"services": frozenset()},
        refused="not_allowed",
    ),
    Rule(
        "team lets pause, not log in or out",
        ("08:00 button anna login support anna", "09:00 mqtt ben logout support anna"),
        {"anna": "in, by anna"},
        group={"member_level": Level.TEAM},
        refused="not_allowed",
    ),
    Rule(
        "team lets pause",
        ("08:00 button anna login support anna", "09:00 mqtt ben pause support anna"),
        {"anna": "in, by anna, paused"},
        group={"member_level": Level.TEAM},
    ),
]

RULES = [
    *DOORS,
    *USERS_SURVIVE,
    *DEVICES,
    *RESTARTS,
    *STATIC,
    *LEASES,
    *SCHEDULES,
    *CLOCK,
    *PAUSES,
    *LAST_OUT,
    *WHO_MAY,
]


def people(rule: Rule) -> Directory:
    """Return the office as the rule has it."""
    directory = office(**rule.group)
    for name, changes in rule.members.items():
        directory = with_member(directory, name, **changes)
    return directory


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence.replace(" ", "_"))
def test_rule(rule: Rule) -> None:
    """What is done comes to what the sentence says."""
    clerk = Clerk(people(rule))
    for step in rule.steps:
        clerk.do(step)
    assert {member: clerk.says(member) for member in rule.then} == rule.then
    assert clerk.refusal == rule.refused
    assert bool(clerk.warned) is rule.warned
