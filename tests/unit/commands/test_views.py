"""The JSON that doors show."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.calls.status import CallStatus, LineState, Step, Story, TrunkStatus
from bridge.commands.model import OWNER, CommandError
from bridge.commands.queries import answer
from bridge.commands.tally import Tally
from bridge.commands.verbs import QUERIES
from bridge.commands.views import Info, Link, Picture
from bridge.directory.logins import Login, Logins, Origin
from bridge.directory.model import Directory, Level
from bridge.events import GroupCall, iso
from tests.support.office import ANNA, BEN, CARA, IN, NOW, ToldTelephony, logins, office

CALL = CallStatus("c1", "hunting", "030123", "Zoe", "600", "support", NOW - 12, ringing=("anna",))


def picture(telephony: ToldTelephony | None = None, now: Logins | None = None, *links: Link) -> Picture:
    """Return the office at one moment, with anna and ben in."""
    info = Info("0.1.0", "home", NOW - 100, links)
    entries = now or logins(("support", "anna"), ("support", "ben"))
    return Picture(office(), entries.get, telephony or ToldTelephony(), Tally(), info, NOW)


def asked(query: str, seen: Picture, **arguments: Any) -> dict[str, Any]:
    """Return what the owner is answered."""
    return answer(query, arguments, OWNER, seen)


def test_member_state_is_the_contract() -> None:
    """The payload of a member's state has the contract's fields in the contract's order."""
    now = Logins([(("support", "anna"), Login(True, 1795000000.9, "anna", Origin.BUTTON))])
    assert asked("member", picture(now=now), group="600", member="anna") == {
        "login": "ON",
        "paused": False,
        "reason": None,
        "since": "2026-11-18T11:06:40Z",
        "origin": "button",
        "by": "anna",
        "until": None,
        "reachable": True,
    }


def test_who_is_in_without_a_phone_is_told_apart_from_who_is_out() -> None:
    """`reachable` is false where the phone cannot be rung, whatever the login."""
    seen = picture(ToldTelephony({"anna": LineState.UNREACHABLE}))
    state = asked("member", seen, group="support", member="anna")
    assert (state["login"], state["reachable"]) == ("ON", False)


def test_group_state_is_the_contract() -> None:
    """The payload of a group's state counts members, logins, who is available, and who waits since when."""
    told = ToldTelephony({"anna": LineState.RINGING}, [CALL], ringing_groups={"support"})
    assert asked("group", picture(told), group="support") == {
        "members": 3,
        "logged_in": 2,
        "available": 1,
        "ringing": True,
        "waiting": 1,
        "waiting_since": "2026-11-18T11:06:28Z",
        "strategy": "parallel",
        "open": True,
        "answered_today": 0,
        "abandoned_today": 0,
    }


@pytest.mark.parametrize(
    ("login", "line", "word"),
    [
        (Login(), LineState.IDLE, "logged out"),
        (replace(IN, paused=True), LineState.IDLE, "paused"),
        (IN, LineState.UNREACHABLE, "phone not registered"),
        (IN, LineState.BUSY, "on a call"),
        (IN, LineState.RINGING, "being offered another call"),
        (IN, LineState.IDLE, "available"),
        (IN, LineState.UNKNOWN, "available"),
    ],
)
def test_availability_has_the_words_of_the_hunt(login: Login, line: LineState, word: str) -> None:
    """People read in the list of groups why a member would not be rung."""
    seen = picture(ToldTelephony({"anna": line}), Logins([(("support", "anna"), login)]))
    assert asked("groups", seen)["groups"]["support"]["members"]["anna"]["availability"] == word


def test_the_own_call_of_a_group_is_not_another_call() -> None:
    """Whom the group's own caller rings is shown as ringing; in the other group the same call is another one."""
    offered = replace(CALL, rung=("anna",))
    told = ToldTelephony({"anna": LineState.RINGING}, up=[offered])
    seen = asked("groups", picture(told))["groups"]["support"]["members"]
    assert seen["anna"]["availability"] == "ringing"
    elsewhere = ToldTelephony({"anna": LineState.RINGING}, up=[replace(offered, group="sales")])
    seen = asked("groups", picture(elsewhere))["groups"]["support"]["members"]
    assert seen["anna"]["availability"] == "being offered another call"


def test_status_tells_what_is_wrong_since_when() -> None:
    """A lost trunk, a phone that cannot be rung and a broken link are listed with their beginnings."""
    told = ToldTelephony(
        {"ben": LineState.UNREACHABLE}, known_trunks=[TrunkStatus("fritz", "lost", NOW - 3600, "403 Forbidden")]
    )
    broker = Link("broker", "not connected", NOW - 30, "connection refused", fine=False)
    status = asked("status", picture(told, None, broker))
    assert [w["what"] for w in status["wrong"]] == ["trunk fritz", "broker", "line ben"]
    assert status["wrong"][0] == {
        "what": "trunk fritz",
        "state": "lost",
        "since": "2026-11-18T10:06:40Z",
        "reason": "403 Forbidden",
    }
    assert status["uptime"] == 100
    assert asked("status", picture())["wrong"] == []


def test_explain_tells_each_step() -> None:
    """A call's story is told by its id; without one, the last call's."""
    story = Story(CALL, (Step(0.0, "ben", "skipped", "paused"),), "answered")
    seen = picture(ToldTelephony(stories={"c0": replace(story, result="abandoned"), "c1": story}))
    assert asked("explain", seen)["steps"] == [{"at": 0.0, "member": "ben", "what": "skipped", "why": "paused"}]
    assert asked("explain", seen, call="c0")["result"] == "abandoned"
    with pytest.raises(CommandError) as caught:
        asked("explain", seen, call="c9")
    assert caught.value.code == "unknown_call"


def test_every_answer_is_json() -> None:
    """Whatever is asked, the answer can be written down."""
    seen = picture(ToldTelephony(up=[CALL], stories={"c1": Story(CALL, (), None)}))
    named = {
        "group": {"group": "support"},
        "opening": {"group": "support"},
        "line": {"line": "201"},
        "member": {"group": "600", "member": "ben"},
        "rights": {"viewer": "ben"},
        "monitor": {"user": "ben"},
    }
    for query in QUERIES:
        assert json.dumps(asked(query, seen, **named.get(query, {})))


def test_users_see_states_and_neither_callers_nor_contacts() -> None:
    """Where everybody has `public` over everybody: states, and nothing of calls but that they are."""
    told = ToldTelephony({"anna": LineState.RINGING}, [replace(CALL, rung=("anna",))])
    seen = picture(told, None, Link("broker", "not connected", NOW, "refused", fine=False))
    status = answer("status", {}, BEN, seen)
    assert (status["trunks"], status["links"], status["wrong"]) == ({}, {}, [])
    assert status["lines"]["anna"]["state"] == "ringing"
    assert [line["contacts"] for line in status["lines"].values()] == [[], ["sip:ben@192.0.2.1"], [], []]
    assert list(status["groups"]["support"]["members"]) == ["anna", "ben", "lobby"]
    assert [(call["caller"], call["caller_name"], call["ringing"]) for call in status["calls"]] == [
        (None, None, ["anna"])
    ]
    assert "030123" not in json.dumps(status) and "Zoe" not in json.dumps(status)
    with pytest.raises(CommandError) as caught:
        answer("explain", {}, BEN, seen)
    assert caught.value.code == "not_allowed"


def test_without_a_level_only_what_is_of_ones_own_groups() -> None:
    """Nobody sees anything of others by default; groups that one is in, and devices in them, are shown."""
    seen = replace(picture(ToldTelephony(up=[CALL])), directory=nobody_sees_anybody())
    groups = answer("groups", {}, BEN, seen)["groups"]
    assert {name: list(group["members"]) for name, group in groups.items()} == {
        "support": ["ben", "lobby"],
        "sales": ["ben"],
    }
    assert list(answer("groups", {}, CARA, seen)["groups"]["support"]["members"]) == ["lobby"]
    assert list(answer("lines", {}, BEN, seen)["lines"]) == ["ben", "lobby"]
    assert answer("calls", {}, BEN, seen)["calls"][0]["ringing"] == []
    for query, arguments in (
        ("line", {"line": "anna"}),
        ("member", {"group": "support", "member": "anna"}),
        ("group", {"group": "sales"}),
        ("opening", {"group": "sales"}),
    ):
        with pytest.raises(CommandError) as caught:
            answer(query, arguments, ANNA if "group" in arguments and len(arguments) == 1 else BEN, seen)
        assert caught.value.code == "not_allowed"
        assert "may not see" in caught.value.message


def nobody_sees_anybody() -> Directory:
    """Return the office without any level."""
    made = office(member_level=Level.NONE, leader_level=Level.NONE)
    sales = replace(made.groups["sales"], member_level=Level.NONE, leader_level=Level.NONE)
    return replace(made, site_level=Level.NONE, groups={**made.groups, "sales": sales})


@pytest.mark.parametrize(
    ("query", "arguments", "code"),
    [
        ("state", {}, "unknown_verb"),
        ("status", {"x": 1}, "bad_request"),
        ("line", {}, "bad_request"),
        ("line", {"line": "x"}, "unknown_line"),
        ("group", {"group": "x"}, "unknown_group"),
        ("member", {"group": "600", "member": "x"}, "unknown_member"),
    ],
)
def test_wrong_questions(query: str, arguments: dict[str, Any], code: str) -> None:
    """A wrong question is refused with a code of its own."""
    with pytest.raises(CommandError) as caught:
        asked(query, picture(), **arguments)
    assert caught.value.code == code


def test_tally_begins_anew_at_midnight() -> None:
    """Calls answered and abandoned are counted by group, for the local day."""
    tally = Tally()
    for event_type in ("offered", "answered", "answered", "abandoned"):
        tally.add(GroupCall(NOW, event_type, "support", "c1", "", ""))
    assert (tally.today("support", "answered", NOW), tally.today("support", "abandoned", NOW)) == (2, 1)
    assert tally.today("sales", "answered", NOW) == 0
    assert tally.today("support", "answered", NOW + 86400) == 0


def test_wrap_up_is_shown_by_name_and_for_as_long_as_it_lasts() -> None:
    """As availability everywhere, and with its end in the member's state; the group has one fewer who can be rung."""
    now = Logins([(("support", "anna"), Login(True, NOW))])
    told = ToldTelephony(wrapping={"anna": NOW + 20})
    groups = asked("groups", picture(told, now))["groups"]["support"]
    assert groups["members"]["anna"]["availability"] == "wrap-up"
    assert groups["members"]["anna"]["wrap_up"] == iso(NOW + 20)
    assert groups["state"]["available"] == 0
    assert "wrap_up" not in asked("member", picture(now=now), group="600", member="anna")
