"""What a viewer sees of calls and events: the one redaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.calls.status import CallStatus, Part, Visit
from bridge.commands.eyes import Eyes
from bridge.commands.model import OWNER, Actor
from bridge.directory.logins import Login
from bridge.directory.model import Directory, Level
from bridge.events import (
    CallOver,
    CommandRefused,
    DeskPressed,
    Event,
    GroupCall,
    LineChanged,
    LoginChanged,
    Notice,
    OfferEnded,
    OpeningChanged,
    TrunkChanged,
)
from tests.support.office import ANNA, BEN, CARA, LOBBY, NOW, office

JOURNALS = frozenset({"member_journal", "leader_journal"})
NOTHING = frozenset[str]()

HUNTING = CallStatus("c1", "hunting", "030123", "Zoe", "600", "support", NOW, ("anna",), rung=("anna",))
TAKEN = CallStatus("c1", "connected", "030123", "Zoe", "600", "support", NOW, (), "anna", NOW, ("anna",))
OUT = CallStatus("c2", "connected", "201", "Anna", "030123", None, NOW, (), None, None, ("anna",))
INSIDE = CallStatus("c3", "connected", "201", "Anna", "202", None, NOW, (), "ben", NOW, ("anna", "ben"))


def people(level: Level = Level.PUBLIC, *private: str, services: frozenset[str] = NOTHING, **more: Any) -> Directory:
    """Return the office with this level among the members of support (anna, ben, lobby; led by cara)."""
    made = office(member_level=level, services=services, **more)
    return replace(made, lines={name: replace(line, private=name in private) for name, line in made.lines.items()})


def numbers(call: CallStatus, viewer: Actor, directory: Directory) -> tuple[Any, ...] | None:
    """Return the numbers and the name that a viewer sees of a call, None where nothing of it is seen."""
    seen = Eyes(viewer, directory).call(call)
    return None if seen is None else (seen["caller"], seen["caller_name"], seen["called"])


SHOWN, HIDDEN = ("030123", "Zoe", "600"), (None, None, "600")


@pytest.mark.parametrize("call", [HUNTING, TAKEN])
@pytest.mark.parametrize(
    ("viewer", "directory", "seen"),
    [
        (OWNER, people(), SHOWN),
        (ANNA, people(), SHOWN),
        (BEN, people(), HIDDEN),
        (BEN, people(Level.BUSINESS), SHOWN),
        (CARA, people(Level.BUSINESS), HIDDEN),
        (CARA, people(leader_level=Level.BUSINESS), SHOWN),
        (BEN, people(services=JOURNALS), SHOWN),
        (CARA, people(services=JOURNALS), SHOWN),
        (CARA, people(services=JOURNALS, active=False), HIDDEN),
        (LOBBY, people(Level.PERSONAL), HIDDEN),
    ],
)
def test_numbers_are_seen_by_own_line_level_and_journal(
    call: CallStatus, viewer: Actor, directory: Directory, seen: tuple[Any, ...]
) -> None:
    """The caller of a group's call is shown where it rings or is taken, by level, or by the group's journal."""
    assert numbers(call, viewer, directory) == seen


@pytest.mark.parametrize(
    ("call", "level", "seen"),
    [
        (OUT, Level.PUBLIC, (None, None, None)),
        (OUT, Level.BUSINESS, ("201", "Anna", "030123")),
        (INSIDE, Level.PUBLIC, (None, None, None)),
        (INSIDE, Level.BUSINESS, ("201", "Anna", "202")),
    ],
)
def test_who_is_called_is_a_number_too(call: CallStatus, level: Level, seen: tuple[Any, ...]) -> None:
    """Calls that lines make, and calls between two of them, show neither side without a level."""
    directory = replace(people(), site_level=level)
    assert numbers(call, CARA, directory) == seen
    assert numbers(call, ANNA, directory) == ("201", "Anna", call.called)


@pytest.mark.parametrize("level", Level)
def test_a_private_line_shows_numbers_to_its_user_alone(level: Level) -> None:
    """Whatever the level, and though the group's journal is seen; while it rings elsewhere too, that is seen there."""
    directory = replace(people(level, "anna", services=JOURNALS), site_level=level)
    assert numbers(TAKEN, ANNA, directory) == SHOWN
    assert numbers(TAKEN, BEN, directory) == HIDDEN
    assert numbers(TAKEN, CARA, directory) == HIDDEN
    assert numbers(INSIDE, BEN, directory) == ("201", "Anna", "202")  # Ben's own
    assert (numbers(INSIDE, CARA, directory) or (None,))[0] is None
    assert numbers(replace(HUNTING, rung=("anna", "ben")), BEN, directory) == SHOWN


def test_who_rings_is_seen_with_the_lines_state() -> None:
    """Names of members are left out where not even their state may be seen; a call of none of them is not there."""
    nothing = replace(people(Level.NONE), site_level=Level.NONE)
    seen = Eyes(BEN, nothing).call(HUNTING)
    assert seen is not None and seen["ringing"] == []  # his own group's call
    assert Eyes(BEN, nothing).call(OUT) is None
    assert Eyes(Actor(BEN.kind, "stranger"), nothing).call(HUNTING) is None


def test_an_anonymous_caller_is_told_from_one_who_is_not_shown() -> None:
    """ "" is anonymous, for the owner too; null is not shown."""
    call = replace(TAKEN, caller="", caller_name="")
    assert numbers(call, OWNER, people()) == ("", "", "600")
    assert numbers(call, BEN, people(Level.BUSINESS)) == ("", "", "600")
    assert numbers(call, BEN, people()) == HIDDEN


LOGIN = LoginChanged(NOW, "support", "anna", Login(True))
ANSWERED = GroupCall(NOW, "answered", "support", "c1", "030123", "Zoe", "anna")
ABANDONED = GroupCall(NOW, "abandoned", "support", "c1", "030123", "Zoe")


@pytest.mark.parametrize(
    ("event", "viewer", "level", "told"),
    [
        (LOGIN, BEN, Level.PUBLIC, True),
        (LOGIN, BEN, Level.NONE, False),
        (LOGIN, ANNA, Level.NONE, True),
        (replace(LOGIN, member="lobby"), BEN, Level.NONE, True),
        (replace(LOGIN, member="gone"), BEN, Level.PERSONAL, False),
        (LineChanged(NOW, "anna", "busy"), BEN, Level.PUBLIC, True),
        (LineChanged(NOW, "anna", "busy"), BEN, Level.NONE, False),
        (OpeningChanged(NOW, "support", True, "hours", None, None), BEN, Level.NONE, True),
        (OpeningChanged(NOW, "support", True, "hours", None, None), Actor(BEN.kind, "zoe"), Level.NONE, False),
        (OfferEnded(NOW, "support", "c1", "anna", "declined", 2.0), BEN, Level.PUBLIC, False),
        (OfferEnded(NOW, "support", "c1", "anna", "declined", 2.0), BEN, Level.BUSINESS, True),
        (OfferEnded(NOW, "support", "c1", "ben", "declined", 2.0), BEN, Level.NONE, True),
        (CommandRefused(NOW, "login", "support", "anna", "mqtt", "ben", "not_allowed", "no"), BEN, Level.NONE, True),
        (CommandRefused(NOW, "login", "support", "anna", "mqtt", "cara", "not_allowed", "no"), BEN, Level.TEAM, False),
        (TrunkChanged(NOW, "fritz", "lost", "403"), BEN, Level.PERSONAL, False),
        (DeskPressed(NOW, "anna", "gpio 17", "press", None), BEN, Level.PERSONAL, False),
        (Notice(NOW, "store", "full"), BEN, Level.PERSONAL, False),
    ],
)
def test_events_are_told_to_whom_they_concern(event: Event, viewer: Actor, level: Level, told: bool) -> None:
    """An event is left out where what it tells may not be seen; what nobody has thought of is the owner's alone."""
    directory = replace(people(level), site_level=level)
    assert (Eyes(viewer, directory).event(event) is not None) is told
    assert Eyes(OWNER, directory).event(event) == event.to_json()


@pytest.mark.parametrize(
    ("event", "viewer", "directory", "seen"),
    [
        (ANSWERED, BEN, people(), (None, None, "anna")),
        (ANSWERED, BEN, people(Level.BUSINESS), ("030123", "Zoe", "anna")),
        (ANSWERED, BEN, people(Level.BUSINESS, "anna"), (None, None, "anna")),
        (ANSWERED, ANNA, people(Level.NONE, "anna"), ("030123", "Zoe", "anna")),
        (ABANDONED, BEN, people(Level.PERSONAL), (None, None, None)),
        (ABANDONED, BEN, people(services=JOURNALS), ("030123", "Zoe", None)),
        (ANSWERED, BEN, replace(people(Level.NONE), site_level=Level.NONE), (None, None, None)),
    ],
)
def test_steps_of_a_groups_call(event: GroupCall, viewer: Actor, directory: Directory, seen: tuple[Any, ...]) -> None:
    """The caller at a member by the level there; of a call at nobody, by the group's journal."""
    body = Eyes(viewer, directory).event(event)
    assert body is not None
    assert (body["caller"], body["caller_name"], body["member"]) == seen


def over(line: str = "anna") -> CallOver:
    """Return the end of a group's call that this line took, and that rang at Ben's too."""
    parts = (
        Part("support", "anna", line, 0.0, 2.0, "answered", ""),
        Part("support", "ben", "ben", 0.0, 2.0, "busy", ""),
    )
    visits = (Visit("support", 0.0, 2.0, "answered", ""),)
    who = ("c1", "030123", "Zoe", None, "600", line, "anna")
    return CallOver(NOW, *who, NOW - 9, NOW - 7, 2.0, 7.0, "answered", "answered by anna", visits, parts, ())


@pytest.mark.parametrize(
    ("viewer", "directory", "caller", "members"),
    [
        (OWNER, people(), "030123", ["anna", "ben"]),
        (BEN, people(), "030123", ["ben"]),  # it rang at his phone
        (BEN, people(Level.BUSINESS), "030123", ["anna", "ben"]),
        (CARA, people(services=JOURNALS), "030123", ["anna", "ben"]),
        (CARA, people(Level.PUBLIC, "anna", services=JOURNALS), None, ["anna", "ben"]),
    ],
)
def test_calls_that_are_over(viewer: Actor, directory: Directory, caller: str | None, members: list[str]) -> None:
    """Told to whom it rang, to whom may see it there, and to who sees the journal; else not at all."""
    body = Eyes(viewer, directory).event(over())
    assert body is not None
    assert (body["caller"], [part["member"] for part in body["members"]]) == (caller, members)
    assert Eyes(CARA, people()).event(over()) is None
    assert Eyes(LOBBY, people(Level.PERSONAL)).event(over()) is None
