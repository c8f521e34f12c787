"""What a command changes in a group's night switch, and who may give it."""

from __future__ import annotations

import datetime

import pytest

from bridge.commands.authorise import authorise
from bridge.commands.model import OWNER, Actor, CommandError, Kind, NightCommand
from bridge.commands.night import decide_night
from bridge.commands.verbs import parse
from bridge.directory.hours import Hours
from bridge.directory.instant import Instant
from bridge.directory.logins import Origin
from bridge.directory.nights import Night, NightChange, Nights, NightState
from tests.support.office import ANNA, CARA, LOBBY, office

HOURS = Hours.of(["mon-fri 09:00-12:30"], datetime.UTC)
AT_WORK, AT_HOME = Instant(0.0, 1_795_428_000.0), Instant(0.0, 1_795_392_000.0)


def turned(command: NightCommand, night: Night, now: Instant) -> Night | None:
    """Return where the command leaves the switch of a group with hours, None where it changes nothing."""
    decision = decide_night(command, ANNA, Origin.BUTTON, office(hours=HOURS), at(night), now)
    if not decision.changes:
        return None
    (change,) = decision.changes
    assert isinstance(change, NightChange)
    assert change.after == NightState(change.after.night, now.wall, "anna", Origin.BUTTON)
    return change.after.night


def at(night: Night) -> Nights:
    """Return switches of which support's stands there."""
    return Nights([("support", NightState(night, 1.0, "ben", Origin.MQTT))])


@pytest.mark.parametrize("night", Night)
def test_to_a_position(night: Night) -> None:
    """The switch is set where it is told to; who told it is kept. There already: nothing changes."""
    other = Night.OPEN if night is Night.CLOSED else Night.CLOSED
    assert turned(NightCommand("support", night), other, AT_WORK) is night
    assert turned(NightCommand("600", night), night, AT_WORK) is None


@pytest.mark.parametrize(
    ("night", "now", "after"),
    [
        (Night.HOURS, AT_WORK, Night.CLOSED),  # open by its hours: closed by hand
        (Night.CLOSED, AT_WORK, Night.HOURS),  # and back: its hours say the same
        (Night.HOURS, AT_HOME, Night.OPEN),  # closed by its hours: open by hand
        (Night.OPEN, AT_HOME, Night.HOURS),
        (Night.OPEN, AT_WORK, Night.CLOSED),
        (Night.CLOSED, AT_HOME, Night.OPEN),
    ],
)
def test_a_toggle_does_what_the_lamp_promises(night: Night, now: Instant, after: Night) -> None:
    """What is open is closed and what is closed is opened; by its hours where those say the same."""
    assert turned(NightCommand("support"), night, now) is after


def test_open_or_closed_however_that_comes() -> None:
    """A switch with two positions asks for what comes of it."""
    assert turned(NightCommand("support", open=False), Night.HOURS, AT_WORK) is Night.CLOSED
    assert turned(NightCommand("support", open=False), Night.OPEN, AT_HOME) is Night.HOURS
    assert turned(NightCommand("support", open=True), Night.CLOSED, AT_WORK) is Night.HOURS


def test_a_toggle_of_all_goes_one_way() -> None:
    """Any open one: all are closed; a second time: all are opened."""
    decision = decide_night(NightCommand("all"), OWNER, Origin.CONTROL, office(), at(Night.CLOSED), AT_WORK)
    assert [entry["group"] for entry in decision.data["changed"]] == ["sales"]
    closed = Nights((name, NightState(Night.CLOSED)) for name in ("support", "sales"))
    decision = decide_night(NightCommand("all"), OWNER, Origin.CONTROL, office(), closed, AT_WORK)
    assert [entry["open"] for entry in decision.data["changed"]] == [True, True]


def test_the_reply_says_what_is_true() -> None:
    """Position, what comes of it, and who has done it."""
    decision = decide_night(NightCommand("support", Night.CLOSED), ANNA, Origin.BUTTON, office(), Nights(), AT_WORK)
    assert decision.data["changed"] == [
        {
            "group": "support",
            "night": "closed",
            "open": False,
            "since": "2026-11-23T10:00:00Z",
            "origin": "button",
            "by": "anna",
        }
    ]


@pytest.mark.parametrize("actor", [OWNER, ANNA, CARA, LOBBY])
def test_who_belongs_to_the_group_may(actor: Actor) -> None:
    """The owner, members (devices too) and leaders."""
    authorise(NightCommand("support"), actor, office())


def test_nobody_else_may() -> None:
    """Neither a member of another group nor a device that only shares a name; "all" needs all of them."""
    for actor, group in ((ANNA, "all"), (ANNA, "sales"), (Actor(Kind.DEVICE, "anna"), "support")):
        with pytest.raises(CommandError) as caught:
            authorise(NightCommand(group), actor, office())
        assert caught.value.code == "not_allowed"
    with pytest.raises(CommandError) as caught:
        authorise(NightCommand("nowhere"), OWNER, office())
    assert caught.value.code == "unknown_group"


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("open", NightCommand("support", Night.OPEN)),
        ("closed", NightCommand("support", Night.CLOSED)),
        ("hours", NightCommand("support", Night.HOURS)),
        ("toggle", NightCommand("support")),
        (True, NightCommand("support", open=False)),
        (False, NightCommand("support", open=True)),
    ],
)
def test_words(word: object, command: NightCommand) -> None:
    """The positions by name, `toggle`, and true and false for who knows only night and day."""
    assert parse("night", {"group": "support", "night": word}, 0.0) == command


@pytest.mark.parametrize(
    "arguments", [{}, {"group": "support"}, {"group": "support", "night": "dark"}, {"night": "open"}]
)
def test_mistakes(arguments: dict[str, object]) -> None:
    """What is missing or unknown is refused, with what would be right."""
    with pytest.raises(CommandError) as caught:
        parse("night", arguments, 0.0)
    assert caught.value.code == "bad_request"
