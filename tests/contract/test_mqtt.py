"""The MQTT contract, literally, with a real Mosquitto and a second client that writes everything down."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator

import pytest

from bridge.calls.status import CallStatus, LineState, TrunkStatus
from bridge.commands.model import LoginVerb
from bridge.events import GroupCall, LineChanged, Notice, TrunkChanged, iso
from bridge.mqtt.model import MqttSettings
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
from tests.support.office import NOW
from tests.support.process import Process, wait_until
from tests.support.watcher import Watcher

P = "cti/home"
ANNA = f"{P}/group/support/member/anna"
OUT = {"login": "OFF", "paused": False, "reason": None, "since": None, "origin": None, "by": None, "until": None}


def settings(broker: Mosquitto, prefix: str = P) -> MqttSettings:
    """Return how to reach a broker."""
    return MqttSettings(broker.host, prefix, port=broker.port)


@pytest.fixture
def watcher(mosquitto: Mosquitto) -> Iterator[Watcher]:
    """Watch everything that bridges say at the broker, and answers."""
    with Watcher(mosquitto.host, mosquitto.port, "cti/#", "answers/#") as watching:
        yield watching


@pytest.fixture
def door(mosquitto: Mosquitto, watcher: Watcher) -> Iterator[Door]:
    """Open a door, and wait until it has said everything."""
    with Door(settings(mosquitto)) as opened:
        watcher.wait_for(f"{P}/user/cara/monitor")
        yield opened


# -- what is said -------------------------------------------------------------------------------------------------


def test_everything_is_said_on_connect_retained_and_online_comes_last(door: Door, watcher: Watcher) -> None:
    """Who waits for `online` finds all the rest true already; monitors alone come after it."""
    order = [heard.topic for heard in watcher.heard]
    online = order.index(f"{P}/bridge/state")
    assert watcher.heard[online].payload == "online"
    assert all(topic.endswith("/monitor") for topic in order[online + 1 :])
    assert all(heard.retained for heard in watcher.heard)
    said = {heard.topic: heard.payload for heard in watcher.heard}
    members = {"support": ("anna", "ben", "lobby"), "sales": ("ben", "cara")}
    assert set(said) == {
        f"{P}/bridge/state",
        f"{P}/bridge/info",
        *(f"{P}/group/{group}/state" for group in members),
        *(f"{P}/group/{group}/night/state" for group in members),
        *(f"{P}/group/{group}/missed/state" for group in members),
        *(f"{P}/group/{group}/member/{member}/state" for group, names in members.items() for member in names),
        *(f"{P}/line/{line}/state" for line in ("anna", "ben", "lobby", "cara")),
        *(f"{P}/user/{user}/monitor" for user in ("anna", "ben", "cara")),
    }
    assert json.loads(said[f"{ANNA}/state"]) == {**OUT, "reachable": True}
    assert json.loads(said[f"{P}/line/anna/state"]) == {"state": "idle", "since": iso(NOW - 60)}
    assert json.loads(said[f"{P}/group/support/state"]) == {
        "members": 3,
        "logged_in": 0,
        "available": 0,
        "ringing": False,
        "waiting": 0,
        "waiting_since": None,
        "strategy": "parallel",
        "open": True,
        "answered_today": 0,
        "abandoned_today": 0,
    }
    info = json.loads(said[f"{P}/bridge/info"])
    assert info["version"] == "0.1.0"
    assert info["trunks"] == {}
    assert info["counts"] == {"groups": 2, "members": 5, "lines": 4, "users": 3}


def test_a_login_at_another_door_is_said_once_confirmed(door: Door, watcher: Watcher) -> None:
    """The member, the group, and the event; each state once."""
    before = watcher.mark
    door.submit(LoginVerb.LOGIN, "support", "anna")
    state = watcher.wait_for(f"{P}/group/support/state", after=before)
    assert (state.json["logged_in"], state.json["available"], state.retained) == (1, 1, True)
    said = watcher.wait_for(f"{ANNA}/state", after=before)
    assert said.retained
    assert said.json == {
        "login": "ON",
        "paused": False,
        "reason": None,
        "since": iso(NOW),
        "origin": "button",
        "by": "anna",
        "until": None,
        "reachable": True,
    }
    event = watcher.wait_for(f"{P}/bridge/event", after=before)
    assert not event.retained
    assert {k: event.json[k] for k in ("type", "at", "group", "member")} == {
        "type": "login_changed",
        "at": iso(NOW),
        "group": "support",
        "member": "anna",
    }
    assert len(watcher.payloads(f"{ANNA}/state", after=before)) == 1


def test_a_state_that_has_not_changed_is_not_said_again(door: Door, watcher: Watcher) -> None:
    """An event that changes nothing that is shown says nothing but itself."""
    before = watcher.mark
    door.tell(LineChanged(NOW, "anna", "idle"))
    door.tell(Notice(NOW, "test", "the last word"))
    watcher.wait_for(f"{P}/bridge/event", lambda heard: "the last word" in heard.payload, after=before)
    assert {heard.topic for heard in watcher.heard[before:]} == {f"{P}/bridge/event"}


def test_a_line_that_cannot_be_reached_shows_at_line_member_and_group(door: Door, watcher: Watcher) -> None:
    """`reachable` tells who is in and cannot be rung from who is out."""
    door.submit(LoginVerb.LOGIN, "support", "anna")
    before = watcher.mark
    door.tell(
        LineChanged(NOW, "anna", "unreachable"),
        first=lambda bureau: bureau.telephony.states.update(anna=LineState.UNREACHABLE),
    )
    assert watcher.wait_for(f"{P}/line/anna/state", after=before).json["state"] == "unreachable"
    member = watcher.wait_for(f"{ANNA}/state", lambda h: not h.json["reachable"], after=before)
    assert member.json["login"] == "ON"
    assert watcher.wait_for(f"{P}/group/support/state", lambda h: h.json["available"] == 0, after=before)


def test_a_call_is_said_to_the_group_without_its_caller(door: Door, watcher: Watcher) -> None:
    """Everybody may read a group's events; who calls is in the owner's events alone."""
    before = watcher.mark

    def ring(bureau: object) -> None:
        door.bureau.telephony.ringing_groups.add("support")
        door.bureau.telephony.up.append(CallStatus("c1", "hunting", "0401234", "Cara", "600", "support", NOW))

    for kind in ("offered", "ringing", "abandoned"):
        door.tell(GroupCall(NOW, kind, "support", "c1", "0401234", "Cara", "anna", "why"), first=ring)
    state = watcher.wait_for(f"{P}/group/support/state", lambda h: h.json["abandoned_today"], after=before).json
    assert (state["ringing"], state["waiting_since"]) == (True, iso(NOW))
    event = watcher.wait_for(f"{P}/group/support/event", lambda h: "abandoned" in h.payload, after=before)
    assert not event.retained
    assert event.json == {
        "event_type": "abandoned",
        "at": iso(NOW),
        "group": "support",
        "call": "c1",
        "member": "anna",
        "reason": "why",
        "wait": None,
    }
    kinds = [json.loads(p)["event_type"] for p in watcher.payloads(f"{P}/group/support/event", after=before)]
    assert kinds == ["offered", "abandoned"], "only the contract's types"
    assert watcher.wait_for(f"{P}/bridge/event", after=before).json["caller"] == "0401234"


def test_what_changes_without_an_event_is_said_within_a_minute(
    mosquitto: Mosquitto, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day's counts, which end at midnight."""
    monkeypatch.setattr("bridge.mqtt.door.LOOK", 0.05)
    with Door(settings(mosquitto)) as door:
        watcher.wait_for(f"{P}/user/cara/monitor")
        door.tell(first=lambda bureau: bureau.telephony.ringing_groups.add("sales"))
        watcher.wait_for(f"{P}/group/sales/state", lambda h: h.json["ringing"])
        assert len(watcher.payloads(f"{P}/group/support/state")) == 1


def test_trunks_are_in_the_info(door: Door, watcher: Watcher) -> None:
    """Their registration is said when it changes."""
    before = watcher.mark
    lost = TrunkStatus("fritz", "lost", NOW, "403 Forbidden")
    door.tell(
        TrunkChanged(NOW, "fritz", "lost", "403 Forbidden"),
        first=lambda bureau: bureau.telephony.known_trunks.append(lost),
    )
    assert watcher.wait_for(f"{P}/bridge/info", after=before).json["trunks"] == {
        "fritz": {"state": "lost", "since": iso(NOW), "reason": "403 Forbidden"}
    }


# -- what is asked ------------------------------------------------------------------------------------------------


def test_set_on_and_off_are_done_confirmed_and_answered(door: Door, watcher: Watcher) -> None:
    """The words alone; the actor is the owner."""
    for word, by in (("ON", "owner"), ("OFF", "owner")):
        before = watcher.mark
        watcher.publish(f"{ANNA}/set", word)
        answer = watcher.wait_for(f"{P}/bridge/response/set", after=before)
        assert (answer.json["status"], answer.json["error"], answer.json["transaction"]) == ("ok", None, None)
        assert not answer.retained
        state = watcher.wait_for(f"{ANNA}/state", after=before).json
        assert (state["login"], state["origin"], state["by"]) == (word, "mqtt", by)


def test_set_takes_an_object_with_time_reason_and_transaction(door: Door, watcher: Watcher) -> None:
    """`for` is seconds; the transaction is echoed."""
    watcher.publish(f"{ANNA}/set", {"login": "ON", "for": 7200, "reason": "lunch duty", "transaction": "t-1"})
    answer = watcher.wait_for(f"{P}/bridge/response/set").json
    assert (answer["status"], answer["transaction"]) == ("ok", "t-1")
    state = watcher.wait_for(f"{ANNA}/state", lambda h: h.json["login"] == "ON").json
    assert (state["until"], state["reason"]) == (iso(NOW + 7200), "lunch duty")


BROKEN: list[tuple[str | bytes, str]] = [
    ("{", "bad_request"),
    ("", "bad_request"),
    ("[" * 8000, "bad_request"),
    ("[1]", "bad_request"),
    ("null", "bad_request"),
    ("MAYBE", "bad_request"),
    ('"MAYBE"', "bad_request"),
    ('{"login": true}', "bad_request"),
    ('{"login": "ON", "for": "soon"}', "bad_request"),
    ('{"login": "ON", "for": NaN}', "bad_request"),
    ('{"login": "ON", "for": -1}', "bad_request"),
    ('{"login": "ON", "colour": "red"}', "bad_request"),
    ('{"login": "ON", "transaction": {"a": 1}}', "bad_request"),
    (b"\xff\xfe", "bad_request"),
    ("x" * 8193, "too_large"),
    ("x" * 1_000_000, "too_large"),
]


def test_broken_payloads_are_answered_and_harm_nothing(door: Door, watcher: Watcher) -> None:
    """Every one gets an error that says what would be right; then the bridge works as before."""
    for payload, code in BROKEN:
        before = watcher.mark
        watcher.publish(f"{ANNA}/set", payload)
        answer = watcher.wait_for(f"{P}/bridge/response/set", after=before).json
        assert (answer["status"], answer["error"]["code"]) == ("error", code), payload[:40]
        assert "right" in answer["error"]["message"] or "takes" in answer["error"]["message"], payload[:40]
    watcher.publish(f"{ANNA}/set", "ON")
    watcher.wait_for(f"{ANNA}/state", lambda h: h.json["login"] == "ON")


@pytest.mark.parametrize(
    ("topic", "code"),
    [("group/sport/member/anna/set", "unknown_group"), ("group/support/member/cara/set", "unknown_member")],
)
def test_unknown_groups_and_members_are_answered_with_those_that_are_known(
    door: Door, watcher: Watcher, topic: str, code: str
) -> None:
    """The transaction comes back with the error."""
    watcher.publish(f"{P}/{topic}", {"login": "ON", "transaction": 7})
    answer = watcher.wait_for(f"{P}/bridge/response/set").json
    assert (answer["error"]["code"], answer["transaction"]) == (code, 7)
    assert "support" in answer["error"]["message"] or "anna" in answer["error"]["message"]


def test_requests_are_commands_and_questions(door: Door, watcher: Watcher) -> None:
    """`P/bridge/request/VERB` is answered on `P/bridge/response/VERB`."""
    watcher.publish(f"{P}/bridge/request/login", {"group": "600", "member": "ben", "transaction": "a"})
    assert watcher.wait_for(f"{P}/bridge/response/login").json["data"]["changed"][0]["member"] == "ben"
    watcher.publish(f"{P}/bridge/request/pause", {"group": "all", "member": "ben", "reason": "lunch"})
    watcher.wait_for(f"{P}/group/support/member/ben/state", lambda h: h.json["reason"] == "lunch")
    watcher.publish(f"{P}/bridge/request/groups", "")
    groups = watcher.wait_for(f"{P}/bridge/response/groups").json["data"]["groups"]
    assert list(groups) == ["support", "sales"]
    watcher.publish(f"{P}/bridge/request/fly", "{}")
    refused = watcher.wait_for(f"{P}/bridge/response/fly").json
    assert refused["error"]["code"] == "unknown_verb"
    assert "login" in refused["error"]["message"]


def test_a_transaction_that_comes_twice_is_answered_twice_and_done_once(door: Door, watcher: Watcher) -> None:
    """QoS 1 may deliver twice: a toggle must not undo itself."""
    body = {"group": "support", "member": "anna", "transaction": "again"}
    for _ in range(2):
        before = watcher.mark
        watcher.publish(f"{P}/bridge/request/toggle", body)
        answer = watcher.wait_for(f"{P}/bridge/response/toggle", after=before).json
        assert (answer["data"]["changed"][0]["login"], answer["transaction"]) == ("ON", "again")
    assert door.bureau.port.login("support", "anna").logged_in
    assert door.bureau.paper.commits == 1


def test_response_topic_and_correlation_data_are_honoured(door: Door, watcher: Watcher) -> None:
    """MQTT 5's own way to ask; what cannot be answered where it was asked for is answered in the usual place."""
    watcher.publish(f"{ANNA}/set", "ON", response="answers/here", correlation=b"\x00\x01")
    answer = watcher.wait_for("answers/here")
    assert (answer.json["status"], answer.correlation) == ("ok", b"\x00\x01")
    watcher.publish(f"{ANNA}/set", "{", response=f"{ANNA}/state", correlation=b"x")
    assert watcher.wait_for(f"{P}/bridge/response/set").correlation == b"x"
    assert all("login" in heard.json for heard in watcher.heard if heard.topic == f"{ANNA}/state")


def test_a_retained_set_is_ignored_and_said_so(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """It would be done again at every start. Neither what lies there already nor what comes later is done."""
    watcher.publish(f"{ANNA}/set", {"login": "ON", "transaction": "old"}, retain=True)
    with Door(settings(mosquitto)) as door:
        answer = watcher.wait_for(f"{P}/bridge/response/set").json
        assert (answer["error"]["code"], answer["transaction"]) == ("bad_request", "old")
        assert "retain" in answer["error"]["message"]
        before = watcher.mark
        watcher.publish(f"{ANNA}/set", "ON", retain=True)
        watcher.wait_for(f"{P}/bridge/response/set", lambda h: "retain" in h.payload, after=before)
        before = watcher.mark
        watcher.publish(f"{ANNA}/set", "", retain=True)
        watcher.publish(f"{P}/bridge/request/calls", "", retain=False)
        watcher.wait_for(f"{P}/bridge/response/calls", after=before)
        assert not watcher.payloads(f"{P}/bridge/response/set", after=before), "taking it away is no request"
        assert not door.bureau.port.login("support", "anna").logged_in


def test_a_command_that_was_given_while_the_bridge_was_away_is_not_done_later(
    mosquitto: Mosquitto, watcher: Watcher
) -> None:
    """The broker keeps nothing for it: who asked got no answer, and has gone on."""
    with Door(settings(mosquitto)):
        watcher.wait_for(f"{P}/user/cara/monitor")
    watcher.publish(f"{ANNA}/set", "ON")
    before = watcher.mark
    with Door(settings(mosquitto)) as door:
        watcher.wait_for(f"{P}/user/cara/monitor", after=before)
        watcher.publish(f"{P}/bridge/request/calls", "")
        watcher.wait_for(f"{P}/bridge/response/calls", after=before)
        assert not door.bureau.port.login("support", "anna").logged_in


def test_a_thousand_commands_in_a_burst_are_all_answered(mosquitto: Mosquitto) -> None:
    """Each once; the last state is the confirmed one.

    Who listens hears the answers and one state alone: Mosquitto keeps 1000 messages for a slow listener, no more.
    """
    answers, state = f"{P}/bridge/response/set", f"{ANNA}/state"
    with Watcher(mosquitto.host, mosquitto.port, answers, state) as watcher, Door(settings(mosquitto)) as door:
        watcher.wait_for(state)
        for number in range(1000):
            login = "ON" if number % 2 else "OFF"
            watcher.publish(f"{ANNA}/set", {"login": login, "transaction": number}, wait=False)
        watcher.wait_for(answers, lambda h: h.json["transaction"] == 999)
        assert sorted(json.loads(p)["transaction"] for p in watcher.payloads(answers)) == list(range(1000))
        assert door.bureau.port.login("support", "anna").logged_in
        wait_until(lambda: json.loads(watcher.payloads(state)[-1])["login"] == "ON", "the last state is ON")


# -- coming and going ---------------------------------------------------------------------------------------------


def test_a_bridge_that_ends_says_offline(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """By itself, without the broker's help."""
    with Door(settings(mosquitto)):
        watcher.wait_for_payload(f"{P}/bridge/state", "online")
    assert watcher.wait_for_payload(f"{P}/bridge/state", "offline").retained


def test_a_bridge_that_is_killed_is_offline_by_its_will(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """SIGKILL: the broker says it."""
    with Process([sys.executable, "-m", "tests.support.doors", mosquitto.host, str(mosquitto.port), P]) as bridge:
        bridge.wait_for("ready")
        watcher.wait_for_payload(f"{P}/bridge/state", "online")
        bridge.end(signal.SIGKILL)
        assert watcher.wait_for_payload(f"{P}/bridge/state", "offline").retained


def test_a_broker_that_was_away_hears_what_is_true_now_and_nothing_stale(mosquitto: Mosquitto) -> None:
    """What changed meanwhile is said as it is in the end, and events that nobody heard are gone."""
    with Door(settings(mosquitto)) as door:
        door.submit(LoginVerb.LOGIN, "support", "anna")
        for number in range(3):
            mosquitto.stop(signal.SIGKILL)
            wait_until(lambda: door.link.state == "away", "the door notices")
            assert not door.link.fine
            door.submit(LoginVerb.LOGOUT, "support", "anna")
            door.tell(Notice(NOW, "test", f"unheard {number}"))
            door.submit(LoginVerb.LOGIN, "support", "anna")
            mosquitto.start()
            with Watcher(mosquitto.host, mosquitto.port, f"{P}/#") as watcher:
                watcher.wait_for_payload(f"{P}/bridge/state", "online")
                assert watcher.payloads(f"{P}/bridge/event") == []
                assert [json.loads(p)["login"] for p in watcher.payloads(f"{ANNA}/state")] == ["ON"]
                watcher.publish(f"{ANNA}/set", {"login": "ON", "transaction": number})
                watcher.wait_for(f"{P}/bridge/response/set")
        assert door.link.state == "connected"


def test_without_a_broker_everything_else_goes_on_and_status_says_so(mosquitto: Mosquitto) -> None:
    """The door opens, commands are done, nothing waits; then the broker comes."""
    mosquitto.stop()
    with Door(settings(mosquitto), wait_connected=False) as door:
        wait_until(lambda: door.link.state == "away", "the door has tried")
        assert door.link.reason == "Connection refused"
        assert door.submit(LoginVerb.LOGIN, "support", "anna").ok
        mosquitto.start()
        wait_until(lambda: door.link.state == "connected", "the door has come back")


def test_two_bridges_at_one_broker_do_not_disturb_each_other(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """Each has its prefix; what is asked of one is nothing to the other."""
    other = "cti/elsewhere"
    with Door(settings(mosquitto)) as here, Door(settings(mosquitto, other)) as there:
        watcher.wait_for_payload(f"{other}/bridge/state", "online")
        watcher.wait_for_payload(f"{P}/bridge/state", "online")
        watcher.publish(f"{other}/group/support/member/anna/set", "ON")
        watcher.wait_for(f"{other}/group/support/member/anna/state", lambda h: h.json["login"] == "ON")
        assert there.bureau.port.login("support", "anna").logged_in
        assert not here.bureau.port.login("support", "anna").logged_in
        assert watcher.payloads(f"{P}/bridge/state") == ["online"]
