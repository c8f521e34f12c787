"""The rules of logging in, each as a sentence of the design: what is done, and what must have come of it."""

from __future__ import annotations

import pytest

from bridge.directory.model import LastOut, Level
from tests.support.rules import WORK, Rule, ensure_holds

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

RULES = [*DOORS, *USERS_SURVIVE, *DEVICES, *RESTARTS, *STATIC, *LAST_OUT, *WHO_MAY]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rule(rule: Rule) -> None:
    """What is done comes to what the sentence says."""
    ensure_holds(rule)
