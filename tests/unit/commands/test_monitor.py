"""What a user sees of others at one glance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.calls.status import CallStatus, LineState
from bridge.commands.control import handling_json
from bridge.commands.model import OWNER, CommandError
from bridge.commands.monitor import Round, Sight
from bridge.commands.queries import answer
from bridge.commands.tally import Tally
from bridge.commands.views import Info, Picture
from bridge.directory.handling import Handling
from bridge.directory.model import Directory, Level, Line
from bridge.events import iso
from tests.support.office import ANNA, BEN, NOW, ToldTelephony, logins, office

TAKEN = CallStatus("c1", "connected", "030123", "Zoe", "600", "support", NOW - 9, (), "anna", NOW, ("anna",))
MOBILE = CallStatus("c2", "connected", "040456", "Yve", "211", None, NOW - 9, (), "mobile", NOW, ("mobile",))
AWAY = Handling(always="040999", since=NOW)


def people(level: Level = Level.PUBLIC, **more: Any) -> Directory:
    """Return the office with this level among the members of support; Anna has a second line."""
    made = office(member_level=level, **more)
    anna = replace(made.users["anna"], second_line="mobile")
    lines = {**made.lines, "mobile": Line("mobile", "211")}
    return replace(made, lines=lines, users={**made.users, "anna": anna})


def picture(directory: Directory, *calls: CallStatus) -> Picture:
    """Return the office at one moment: Anna is in and talks, and her calls are diverted."""
    told = ToldTelephony({"anna": LineState.BUSY}, list(calls))
    handling = {"anna": AWAY}
    now = logins(("support", "anna"))
    made = Picture(directory, now.get, told, Tally(), Info("0", "home", NOW), NOW)
    return replace(made, handling=lambda line: handling.get(line, Handling()))


def seen(user: str, directory: Directory, *calls: CallStatus) -> Any:
    """Return a user's monitor."""
    return Round(picture(directory, *calls), Sight(directory)).body(user)


def groups(user: str, directory: Directory | None = None) -> dict[str, list[str]]:
    """Return the groups that a user sees, with their members."""
    monitor = seen(user, directory or people())
    return {name: list(group["members"]) for name, group in monitor["groups"].items()}


def anna(user: str, directory: Directory, *calls: CallStatus) -> Any:
    """Return what a user sees of Anna in support."""
    return seen(user, directory, *calls)["groups"]["support"]["members"]["anna"]


def test_a_user_sees_the_groups_that_the_user_is_in_or_leads() -> None:
    """With everybody in them, devices too."""
    assert groups("anna") == {"support": ["anna", "ben", "lobby"]}
    assert groups("ben") == {"support": ["anna", "ben", "lobby"], "sales": ["ben", "cara"]}
    assert groups("cara") == {"support": ["anna", "ben", "lobby"], "sales": ["ben", "cara"]}


def test_with_public_it_is_login_and_line_state_and_no_more() -> None:
    """No number, no name of a caller, no diversion, no reason, no door."""
    assert anna("ben", people(), TAKEN, MOBILE) == {
        "name": "Anna",
        "login": "ON",
        "paused": False,
        "since": iso(NOW - 3600),
        "until": None,
        "line": "busy",
        "line_since": iso(NOW - 60),
        "calls": None,
        "diversion": None,
        "second": {"line": "idle", "line_since": iso(NOW - 60), "calls": None, "diversion": None},
    }


CALLER = {"caller": "030123", "caller_name": "Zoe", "called": "600"}


@pytest.mark.parametrize(
    ("level", "first", "second"),
    [(Level.BUSINESS, True, False), (Level.TEAM, True, True), (Level.PERSONAL, True, True)],
)
def test_callers_and_diversions_are_shown_by_level(level: Level, first: bool, second: bool) -> None:
    """Those of the own line with `business`, those of the second one with `team`."""
    found = anna("ben", people(level), TAKEN, MOBILE)
    assert found["calls"] == [{"call": "c1", "state": "connected", **CALLER, "since": iso(NOW - 9)}]
    assert found["diversion"] == handling_json(AWAY)
    assert (found["second"]["calls"] is not None) is second
    assert (found["second"]["diversion"] is not None) is second


def test_everybody_sees_all_of_themselves() -> None:
    """Whatever others see."""
    own = anna("anna", people(Level.NONE), TAKEN, MOBILE)
    assert own["calls"][0]["caller"] == "030123"
    assert own["second"]["calls"][0]["caller"] == "040456"
    assert own["diversion"]["divert"]["always"] == "040999"


def test_private_lines_and_anonymous_callers() -> None:
    """A private line shows no numbers to others, whatever their level; nobody sees who an anonymous caller is."""
    directory = people(Level.PERSONAL)
    private = replace(directory, lines={**directory.lines, "anna": Line("anna", "201", private=True)})
    found = anna("ben", private, TAKEN)
    assert (found["calls"], found["diversion"], found["line"]) == (None, None, "busy")
    assert anna("anna", private, TAKEN)["calls"][0]["caller"] == "030123"
    hidden = replace(TAKEN, caller="", caller_name="")
    assert anna("ben", directory, hidden)["calls"][0]["caller"] == ""


def test_who_sees_the_journal_sees_the_groups_callers() -> None:
    """The service of the group counts for its calls at whoever's phone, and for nothing else."""
    directory = people(services=frozenset({"member_journal"}))
    found = anna("ben", directory, TAKEN, replace(MOBILE, lines=("anna",)))
    assert [call["call"] for call in found["calls"]] == ["c1"]
    assert found["diversion"] is None


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (("login",), {"login", "paused", "since", "until"}),
        (("line",), {"line", "line_since"}),
        (("caller", "line"), {"line", "line_since", "calls"}),
        (("diversion",), {"diversion"}),
        ((), set()),
    ],
)
def test_a_groups_monitor_says_which_fields(fields: tuple[str, ...], shown: set[str]) -> None:
    """Of what may be seen, it shows no more than this; what favourites show is not its business."""
    directory = people(Level.TEAM, monitor=frozenset(fields))
    assert set(anna("ben", directory, TAKEN)) - {"name", "second"} == shown


def test_favourites() -> None:
    """Users and devices, with their logins in all their groups; who may not be seen is left out."""
    directory = people(Level.NONE)
    ben = replace(directory.users["ben"], favourites=("anna", "lobby", "cara"))
    directory = replace(directory, users={**directory.users, "ben": ben})
    found = seen("ben", directory, TAKEN)["favourites"]
    assert list(found) == ["anna", "lobby", "cara"]
    assert found["anna"]["logins"]["support"]["login"] == "ON"
    assert (found["anna"]["line"], found["anna"]["calls"]) == ("busy", None)
    assert list(found["cara"]["logins"]) == ["sales"]
    hidden = replace(directory, site_level=Level.NONE)
    assert list(seen("ben", hidden)["favourites"]) == ["lobby", "cara"]  # cara: by the group sales
    assert groups("ben", hidden)["support"] == ["ben", "lobby"]


def test_what_is_shared_is_never_shown_to_whom_it_is_not_for() -> None:
    """Monitors of one round are made of the same pieces; each user has what is that user's alone."""
    directory = people(Level.PUBLIC, leader_level=Level.BUSINESS)
    made = Round(picture(directory, TAKEN), Sight(directory))
    for _ in range(2):
        assert made.body("ben")["groups"]["support"]["members"]["anna"]["calls"] is None
        assert made.body("cara")["groups"]["support"]["members"]["anna"]["calls"][0]["caller"] == "030123"
        assert made.body("anna")["groups"]["support"]["members"]["anna"]["calls"][0]["caller"] == "030123"


def test_nobody_who_is_not_a_user_has_one() -> None:
    """Not a device, and not somebody who has left."""
    made = Round(picture(people()), Sight(people()))
    assert made.text("lobby") is None
    assert made.text("gone") is None


def test_a_group_that_is_switched_off_is_still_shown_at_the_sites_level() -> None:
    """Its own level gives nothing any more; what everybody may see stays."""
    assert groups("anna", people(active=False)) == {"support": ["anna", "ben", "lobby"]}


def test_a_leader_who_has_left_the_users_is_no_reason_to_fail() -> None:
    """A directory is what it is."""
    directory = replace(office(), users={"anna": office().users["anna"]})
    assert groups("anna", directory) == {"support": ["anna", "ben", "lobby"]}


def test_the_query() -> None:
    """Each asks for their own, the owner for anybody's."""
    now = picture(people(), TAKEN)
    assert answer("monitor", {}, ANNA, now) == answer("monitor", {"user": "anna"}, OWNER, now)
    for arguments, actor, code in (
        ({"user": "anna"}, BEN, "not_allowed"),
        ({"user": "lobby"}, OWNER, "unknown_member"),
        ({}, OWNER, "unknown_member"),
    ):
        with pytest.raises(CommandError) as refused:
            answer("monitor", arguments, actor, now)
        assert refused.value.code == code


def test_who_watches_what() -> None:
    """A line's change is one for whoever is in a group with its user, leads it, or likes to see the user."""
    directory = people()
    cara = replace(directory.users["cara"], favourites=("anna",))
    sight = Sight(replace(directory, users={**directory.users, "cara": cara}))
    assert set(sight.watching_line("mobile")) == {"anna", "ben", "cara"}
    assert set(sight.watching_line("cara")) == {"ben", "cara"}
    assert sight.watching_group("sales") == ("ben", "cara")
    assert sight.watching_line("nobody's") == ()
