"""From verbs and arguments to commands."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bridge.commands.model import CommandError, LoginCommand, LoginVerb, member_of
from bridge.commands.moments import moment, seconds
from bridge.commands.verbs import parse, transaction_key
from tests.support.office import NOW

UTC = datetime.UTC
NAMES = {"group": "support", "member": "anna"}


def refusal(verb: str, **arguments: Any) -> CommandError:
    """Return how the verb with these arguments is refused."""
    with pytest.raises(CommandError) as caught:
        parse(verb, arguments, NOW, zone=UTC)
    return caught.value


def test_login_with_everything() -> None:
    """Group, member, time and reason come through."""
    command = parse("login", {**NAMES, "for": "1h30m", "reason": " early "}, NOW)
    assert command == LoginCommand(LoginVerb.LOGIN, "support", "anna", 5400.0, None, "early")


def test_own_member_where_none_is_named() -> None:
    """A door that knows in whose name it speaks gives the member."""
    assert member_of(parse("toggle", {"group": "support"}, NOW, own="ben")) == "ben"
    assert member_of(parse("toggle", NAMES, NOW, own="ben")) == "anna"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"member": "anna"}, "group is missing"),
        ({"group": "support"}, "member is missing"),
        ({"group": 600, "member": "anna"}, "group is a number; right is text"),
        ({"group": ["a"], "member": "anna"}, "group is a list"),
        ({**NAMES, "fro": 3}, "'fro'; it takes: group, member, for, until, reason"),
        ({**NAMES, "reason": "x" * 201}, "201 characters"),
        ({**NAMES, "reason": "a\nb"}, "control characters"),
        ({**NAMES, "reason": "\ud800"}, "control characters"),
        ({**NAMES, "reason": "\x1b[2J"}, "control characters"),
        ({**NAMES, "for": 60, "until": "14:00"}, "one of them"),
        ({**NAMES, "for": "soon"}, "no duration"),
        ({**NAMES, "for": True}, "no duration"),
        ({**NAMES, "for": [1]}, "no duration"),
        ({**NAMES, "for": float("nan")}, "no duration"),
        ({**NAMES, "for": 10**400}, "no duration"),
        ({**NAMES, "for": -1}, "no duration"),
        ({**NAMES, "until": "25:00"}, "no time"),
        ({**NAMES, "until": 1400}, "until is a number"),
        ({**NAMES, "until": "2020-01-01T00:00:00Z"}, "not ahead"),
        ({**NAMES, "until": "9999-12-31T23:59:59+00:00"}, "a year away"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, Any], says: str) -> None:
    """Every wrong argument is refused as a bad request that says what would be right."""
    error = refusal("login", **arguments)
    assert error.code == "bad_request"
    assert says in error.message


def test_unknown_verb_lists_the_right_ones() -> None:
    """A wrong verb is answered with those that there are; a long one is not repeated whole."""
    error = refusal("l" * 5000)
    assert error.code == "unknown_verb"
    assert "logout" in error.message
    assert len(error.message) < 400


def test_unpause_takes_no_time() -> None:
    """What ends at once has no end of its own."""
    assert "'for'" in refusal("unpause", **NAMES, **{"for": 60}).message


@pytest.mark.parametrize(
    ("written", "length"),
    [("2h", 7200), ("15m", 900), ("1h30m", 5400), ("90", 90), ("90s", 90), ("1d", 86400), (7200, 7200), (0.5, 0.5)],
)
def test_durations(written: object, length: float) -> None:
    """Durations are written as people write them."""
    assert seconds(written) == length


@pytest.mark.parametrize("written", ["", "h", "2 h", "0", "-5", "1h30", "٣m", "30m1h", None, "999d", True])
def test_wrong_durations(written: object) -> None:
    """What is no duration is refused; "1h30" is half an hour to some and half a minute to others."""
    with pytest.raises(ValueError, match="no duration"):
        seconds(written)


def at(day: int, hour: int, minute: int = 0) -> float:
    """Return UTC seconds of a time in November 2026."""
    return datetime.datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("14:00", at(23, 14)),
        ("9:05", at(24, 9, 5)),
        ("12:00", at(24, 12)),
        ("2026-11-23T14:00:00Z", at(23, 14)),
        ("2026-11-23T15:00:00+01:00", at(23, 14)),
        ("2026-11-25 08:00", at(25, 8)),
    ],
)
def test_moments(written: str, expected: float) -> None:
    """A clock time is the next one, tomorrow's if today's has passed; ISO 8601 says itself."""
    assert moment(written, at(23, 12), UTC) == expected


def test_transactions() -> None:
    """Text and whole numbers tell transactions apart, also from each other; anything else is refused."""
    assert transaction_key(None) is None
    assert transaction_key(7) != transaction_key("7")
    everything_else: list[object] = [True, 1.5, [], {}, "x" * 129, 10**400]
    for wrong in everything_else:
        with pytest.raises(CommandError, match="transaction"):
            transaction_key(wrong)
