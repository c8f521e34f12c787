"""Who sees what of the journal."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.calls.status import Part, Visit
from bridge.commands.eyes import Eyes
from bridge.commands.model import OWNER, Actor, CommandError, Kind
from bridge.directory.model import Directory, Group, Level, Line, Member, User
from bridge.events import CallOver
from bridge.journal.asked import filter_of, narrowed
from bridge.journal.model import Filter
from bridge.journal.shown import entry_json, sees_whole

NOW = 1_800_000_000.0
NAMES = ("anna", "ben", "carl", "dora")


def office(private: str = "") -> Directory:
    """Support: anna and ben, who see its journal, led by dora, who does not; sales: carl, whose members see nothing."""
    lines = {name: Line(name, str(200 + i), private=name == private) for i, name in enumerate(NAMES)}
    users = {name: User(name, name.title(), name) for name in NAMES}
    support = Group(
        "support",
        "Support",
        "600",
        (Member("anna", "anna"), Member("ben", "ben")),
        leaders=("dora",),
        services=frozenset({"member_journal"}),
    )
    sales = Group("sales", "Sales", "601", (Member("carl", "carl"),), leaders=("dora",))
    return Directory(lines, users, {"support": support, "sales": sales}, site_level=Level.PUBLIC)


def eyes(name: str, private: str = "") -> Eyes:
    """Return the eyes of a user."""
    return Eyes(Actor(Kind.USER, name), office(private))


def over(**more: Any) -> CallOver:
    """Return a call that overflowed from support to sales, where carl took it."""
    values: dict[str, Any] = {
        "call": "c1",
        "caller": "015155501",
        "caller_name": "Zoe",
        "caller_line": None,
        "called": "600",
        "line": "carl",
        "taken_by": "carl",
        "began": NOW,
        "answered": NOW + 20,
        "wait": 20.0,
        "talk": 60.0,
        "result": "answered",
        "why": "answered by carl",
        "visits": (Visit("support", 0, 15, "overflowed", "no phone rang"), Visit("sales", 15, 5, "answered", "")),
        "parts": (
            Part("support", "anna", "anna", 0, 15, "no answer", ""),
            Part("support", "ben", None, 0, 0, "paused", ""),
            Part("sales", "carl", "carl", 15, 5, "answered", ""),
        ),
        "steps": (),
    }
    return CallOver(NOW + 80, **{**values, **more})


def test_what_happened_in_other_groups_is_left_out() -> None:
    """Ben sees that support's call went on, not who took it in sales; the owner sees all."""
    told = entry_json(over(), eyes("ben"))
    assert [visit["group"] for visit in told["visits"]] == ["support"]
    assert [part["member"] for part in told["members"]] == ["anna", "ben"]
    assert (told["result"], told["taken_by"], told["talk"], told["caller"]) == ("overflowed", None, 0.0, "015155501")
    whole = entry_json(over(), Eyes(OWNER, office()))
    assert (whole["taken_by"], len(whole["visits"]), len(whole["members"])) == ("carl", 2, 3)


def test_ones_own_calls_are_seen_without_any_service() -> None:
    """Carl sees the call that he took, and whoever rang at his line."""
    told = entry_json(over(), eyes("carl"))
    assert (told["taken_by"], told["caller"], told["talk"]) == ("carl", "015155501", 60.0)
    assert [part["member"] for part in told["members"]] == ["carl"]


def test_a_private_lines_callers_are_its_own_users() -> None:
    """Null to all but the one whose line it is, whatever service they have."""
    call = over(line="ben", taken_by="ben", visits=(Visit("support", 0, 3, "answered", ""),), parts=(
        Part("support", "ben", "ben", 0, 3, "answered", ""),))  # fmt: skip
    hidden = entry_json(call, eyes("anna", private="ben"))
    assert (hidden["caller"], hidden["caller_name"], hidden["taken_by"]) == (None, None, "ben")
    assert entry_json(call, eyes("ben", private="ben"))["caller"] == "015155501"
    assert not sees_whole(call, eyes("anna", private="ben"))
    assert sees_whole(call, eyes("ben", private="ben")) and sees_whole(call, eyes("anna"))


def test_the_journal_of_a_group_needs_its_service() -> None:
    """Members with `member_journal`, leaders with `leader_journal`; the refusal names what is missing."""
    assert narrowed(Filter(group="600"), eyes("anna")).group == "support"
    for name, group in (("dora", "support"), ("carl", "sales"), ("carl", "600")):
        with pytest.raises(CommandError, match="leader_journal") as refused:
            narrowed(Filter(group=group), eyes(name))
        assert refused.value.code == "not_allowed"
    own = narrowed(Filter(), eyes("carl"))
    assert (own.viewer, own.groups, own.lines) == ("carl", (), ("carl",))
    assert narrowed(Filter(), Eyes(OWNER, office())).viewer is None


def test_what_is_asked_is_read_strictly() -> None:
    """Times as people write them; every mistake says what would be right."""
    assert filter_of({}, NOW) == Filter()
    wanted = filter_of({"since": "2h", "until": "30m", "last": 5, "only": "calls", "result": "missed"}, NOW)
    assert (wanted.since, wanted.until, wanted.last, wanted.changes) == (NOW - 7200, NOW - 1800, 5, False)
    wrong: dict[str, object] = {"since": "soon", "last": 0, "result": "lost", "only": "night", "colour": "red"}
    for key, value in wrong.items():
        with pytest.raises(CommandError, match="right|results are|takes"):
            filter_of({key: value}, NOW)
