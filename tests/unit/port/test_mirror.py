"""The bridge as a satellite sees it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.status import LineState
from bridge.commands.model import OWNER, LoginCommand, LoginVerb, NightCommand
from bridge.commands.queries import answer
from bridge.commands.tally import Tally
from bridge.commands.views import Info, Picture
from bridge.directory.logins import OUT, Login, Origin
from bridge.directory.model import Directory
from bridge.directory.nights import Night
from bridge.events import (
    LineChanged,
    LoginChanged,
    MissedChanged,
    OpeningChanged,
    TrunkChanged,
    WaitingChanged,
    WrapUp,
    login_json,
)
from bridge.mqtt.topics import (
    GroupSubject,
    InfoSubject,
    LineSubject,
    MemberSubject,
    MissedSubject,
    NightSubject,
    Subject,
    Topics,
)
from bridge.port.mirror import Mirror
from bridge.port.wire import asked
from tests.support.office import IN, NOW, ToldTelephony, logins, office

ANNA = MemberSubject("support", "anna")
TOPICS = Topics("cti/home")


def mirror() -> Mirror:
    """Return one that knows the office, and sees the bridge."""
    made = Mirror(Directory())
    here = logins(("support", "anna"))
    picture = Picture(office(), here.get, ToldTelephony(), Tally(), Info("1", "home", NOW), NOW)
    told = [json.loads(json.dumps(answer(query, {}, OWNER, picture))) for query in ("groups", "lines")]
    assert made.learn(*told)
    list(made.appear(True, NOW))
    return made


def said(seen: Mirror, subject: Subject, body: object) -> list[object]:
    """Let the bridge say a state; return what has changed."""
    return list(seen.hear(subject, json.dumps(body), NOW))


def test_who_there_is_is_learnt_from_two_answers() -> None:
    """Groups with numbers, members with their lines, who is a device."""
    directory = mirror().directory
    assert directory.group("600") is directory.groups["support"]
    assert [(m.name, m.line, m.device) for m in directory.groups["support"].members] == [
        ("anna", "anna", False),
        ("ben", "ben", False),
        ("lobby", "lobby", True),
    ]
    assert set(directory.users) == {"anna", "ben", "cara"}
    assert directory.lines["lobby"].number == "203"


@pytest.mark.parametrize(
    "login",
    [
        OUT,
        IN,
        Login(True, NOW, "owner", Origin.MQTT, "lunch duty", NOW + 60),
        Login(
            True, NOW, paused=True, pause_reason="lunch", pause_until=NOW + 5, pause_by="cara", pause_origin=Origin.MQTT
        ),
    ],
)
def test_a_login_is_read_back_as_it_was_said(login: Login) -> None:
    """Everything that the state shows; what has not changed is no event."""
    seen = mirror()
    list(seen.hear(ANNA, json.dumps(login_json(Login(True, 1.0))), NOW))
    assert said(seen, ANNA, {**login_json(login), "reachable": True}) == [LoginChanged(NOW, "support", "anna", login)]
    assert said(seen, ANNA, {**login_json(login), "reachable": False}) == []
    assert seen.login("support", "anna") == login


def test_a_state_that_is_taken_away_is_none_any_more() -> None:
    """The member has left."""
    seen = mirror()
    said(seen, ANNA, login_json(IN))
    assert list(seen.hear(ANNA, "", NOW)) == [LoginChanged(NOW, "support", "anna", OUT)]


def test_lines_groups_and_night_switches_are_seen() -> None:
    """What lamps show of them."""
    seen = mirror()
    assert said(seen, LineSubject("anna"), {"state": "busy", "since": None}) == [LineChanged(NOW, "anna", "busy")]
    assert seen.line("anna").state is LineState.BUSY
    said(seen, GroupSubject("support"), {"ringing": True})
    assert seen.ringing("support")
    closed = {"night": "closed", "open": False, "since": None, "origin": "mqtt", "by": "owner"}
    (event,) = said(seen, NightSubject("support"), closed)
    assert isinstance(event, OpeningChanged)
    assert not seen.opening("support").open
    assert seen.opening("support").switch.night is Night.CLOSED


def test_without_the_bridge_lines_are_unreachable_and_trunks_lost() -> None:
    """Also a trunk that was fine, and the way to the bridge itself; then all is as it was."""
    seen = mirror()
    said(seen, InfoSubject(), {"trunks": {"fritz": {"state": "registered", "since": None, "reason": ""}}})
    said(seen, LineSubject("anna"), {"state": "idle", "since": None})
    events = list(seen.appear(False, NOW))
    assert LineChanged(NOW, "anna", "unreachable") in events
    assert {(e.trunk, e.state) for e in events if isinstance(e, TrunkChanged)} == {
        ("bridge", "lost"),
        ("fritz", "lost"),
    }
    assert list(seen.appear(False, NOW)) == []
    assert LineChanged(NOW, "anna", "idle") in list(seen.appear(True, NOW))
    assert [(t.trunk, t.state) for t in seen.trunks()] == [("fritz", "registered")]


SUBJECTS: list[Subject] = [ANNA, NightSubject("support"), LineSubject("anna"), GroupSubject("support"), InfoSubject()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["login", "since", "state", "trunks", "open", "night", "paused"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(SUBJECTS), st.text(max_size=40) | JSON.map(json.dumps))
def test_what_cannot_be_read_is_passed_over(subject: Subject, payload: str) -> None:
    """Anybody may write to a broker without rules."""
    list(mirror().hear(subject, payload, NOW))


@given(JSON, JSON)
def test_answers_that_cannot_be_read_change_nothing(groups: object, lines: object) -> None:
    """The directory is as it was."""
    seen = mirror()
    before = seen.directory
    assert not seen.learn({"groups": groups or 1}, {"lines": lines})
    assert seen.directory is before


def test_callers_who_wait_are_counted() -> None:
    """A change of the number is an event; while the bridge is away nobody is known to wait."""
    seen = mirror()
    support = GroupSubject("support")
    state = {"ringing": False, "waiting": 2, "waiting_since": "2026-11-18T11:06:28Z"}
    assert said(seen, support, state) == [WaitingChanged(NOW, "support", 2)]
    assert said(seen, support, {**state, "ringing": True}) == []
    assert len(seen.waiting("support")) == 2
    assert said(seen, support, {**state, "waiting": 0, "waiting_since": None}) == [WaitingChanged(NOW, "support", 0)]
    assert seen.waiting("support") == ()
    said(seen, support, state)
    list(seen.appear(False, NOW))
    assert seen.waiting("support") == ()


def test_wrap_up_is_read_back() -> None:
    """As long as the member's state has it."""
    seen = mirror()
    state = {**login_json(IN), "reachable": True}
    until = 1_795_000_000.0
    told = said(seen, ANNA, {**state, "wrap_up": "2026-11-18T11:06:40Z"})
    assert [event for event in told if isinstance(event, WrapUp)] == [WrapUp(NOW, "support", "anna", until)]
    assert seen.wraps_up("anna") == until
    assert seen.wraps_up("ben") is None
    assert said(seen, ANNA, state) == [WrapUp(NOW, "support", "anna", None)]
    assert seen.wraps_up("anna") is None


# -- what is asked for ------------------------------------------------------------------------------------------------


def wire(command: LoginCommand | NightCommand) -> tuple[str, dict[str, object]]:
    """Return what is published for a command; Anna is logged out."""
    return asked(command, mirror(), TOPICS)


def test_a_login_is_set_at_the_member() -> None:
    """By the group's name, whatever it was called; with all that was said."""
    topic, body = wire(LoginCommand(LoginVerb.LOGIN, "600", "anna", 60.0, None, "early"))
    assert topic == "cti/home/group/support/member/anna/set"
    assert body == {"login": "ON", "for": 60.0, "reason": "early"}
    assert wire(LoginCommand(LoginVerb.LOGOUT, "support", "anna"))[1] == {"login": "OFF"}


def test_a_toggle_is_the_other_of_what_the_lamp_shows() -> None:
    """So that a press never does what was not meant."""
    seen = mirror()
    toggle = LoginCommand(LoginVerb.TOGGLE, "support", "anna")
    assert asked(toggle, seen, TOPICS)[1] == {"login": "ON"}
    said(seen, ANNA, login_json(IN))
    assert asked(toggle, seen, TOPICS)[1] == {"login": "OFF"}


def test_the_rest_is_requested() -> None:
    """All groups, all members, pauses, nights, and groups that nobody knows: the bridge says what is wrong."""
    cases: list[tuple[LoginCommand | NightCommand, str, dict[str, object]]] = [
        (LoginCommand(LoginVerb.LOGOUT, "all", "anna"), "logout", {"group": "all", "member": "anna"}),
        (LoginCommand(LoginVerb.LOGIN, "support", "all"), "login", {"group": "support", "member": "all"}),
        (LoginCommand(LoginVerb.PAUSE, "600", "anna", 9.0), "pause", {"group": "600", "member": "anna", "for": 9.0}),
        (LoginCommand(LoginVerb.LOGIN, "gone", "anna"), "login", {"group": "gone", "member": "anna"}),
        (NightCommand("support"), "night", {"group": "support", "night": "toggle"}),
        (NightCommand("support", Night.HOURS), "night", {"group": "support", "night": "hours"}),
        (NightCommand("support", open=False), "night", {"group": "support", "night": True}),
    ]
    for command, verb, body in cases:
        assert wire(command) == (f"cti/home/bridge/request/{verb}", body)


def test_what_was_missed_is_counted_by_member() -> None:
    """Each change is an event; nothing is missed where the bridge is not there."""
    seen = mirror()
    assert seen.missed("support", "anna") == 0
    assert said(seen, MissedSubject("support"), {"missed": {"anna": 2, "ben": 0}}) == [MissedChanged(NOW, "support")]
    assert said(seen, MissedSubject("support"), {"missed": {"anna": 2, "ben": 0}}) == []
    assert (seen.missed("support", "anna"), seen.missed("support", "ben"), seen.missed("sales", "anna")) == (2, 0, 0)
    assert said(seen, MissedSubject("support"), {"missed": "all"}) == []
    list(seen.appear(False, NOW))
    assert seen.missed("support", "anna") == 0
