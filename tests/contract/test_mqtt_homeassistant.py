"""Discovery, births, what an earlier run has left, users and their monitors: at a real Mosquitto."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.commands.model import LoginVerb
from bridge.directory.model import Directory
from bridge.events import LineChanged, Notice
from bridge.mqtt.model import MqttSettings
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
from tests.support.office import NOW, office
from tests.support.watcher import Watcher

P = "cti/home"
ANNA = f"{P}/group/support/member/anna"
SITE = "homeassistant/device/cti_home/config"
SUPPORT = "homeassistant/device/cti_home_GROUP_support/config"
SALES = "homeassistant/device/cti_home_GROUP_sales/config"
STATUS = "homeassistant/status"


def settings(broker: Mosquitto, discovery: str = "device", prefix: str = P) -> MqttSettings:
    """Return how to reach a broker."""
    return MqttSettings(broker.host, prefix, port=broker.port, discovery=discovery)


def reduced() -> Directory:
    """Return the office without Sales, without Anna in Support, and without the lobby's line."""
    support = office().groups["support"]
    ben = tuple(member for member in support.members if member.name == "ben")
    lines = {name: line for name, line in office().lines.items() if name in ("anna", "ben")}
    users = {"ben": office().users["ben"]}
    return Directory(lines, users, {"support": dataclasses.replace(support, members=ben, leaders=())})


@pytest.fixture
def watcher(mosquitto: Mosquitto) -> Iterator[Watcher]:
    """Watch everything."""
    with Watcher(mosquitto.host, mosquitto.port, "#") as watching:
        yield watching


def lying(broker: Mosquitto, done: str) -> dict[str, str]:
    """Return what lies at the broker, retained, by topic; `done` is a topic that is there for sure."""
    with Watcher(broker.host, broker.port, "#") as fresh:
        fresh.wait_for(done)
        fresh.publish("marker", "x")
        fresh.wait_for("marker")
        return {heard.topic: heard.payload for heard in fresh.heard if heard.topic != "marker"}


# -- discovery ----------------------------------------------------------------------------------------------------


def test_devices_are_announced_after_their_states(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """Retained, the site first; whoever reads them finds the states there already."""
    with Door(settings(mosquitto)):
        watcher.wait_for(SALES)
        heard = [h for h in watcher.heard if h.topic.startswith("homeassistant/")]
        assert [h.topic for h in heard] == [SITE, SUPPORT, SALES]
        assert all(h.retained for h in heard)
        online = next(i for i, h in enumerate(watcher.heard) if h.topic == f"{P}/bridge/state")
        assert online < watcher.heard.index(heard[0])
        components = heard[1].json["components"]
        assert components["login_anna"]["command_topic"] == f"{ANNA}/set"


def test_entity_style_and_off(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """A message each; with "off" nothing is announced, and what was is taken away."""
    switch = "homeassistant/switch/cti_home_GROUP_support/login_anna/config"
    with Door(settings(mosquitto, "entity")):
        assert watcher.wait_for(switch).json["device"]["name"] == "Support"
        assert not watcher.payloads(SITE)
    before = watcher.mark
    with Door(settings(mosquitto, "off")):
        watcher.wait_for_payload(switch, "", after=before)
        announced = {t: p for t, p in lying(mosquitto, f"{P}/bridge/state").items() if t.startswith("homeassistant")}
        assert {payload for payload in announced.values()} <= {""}


def test_a_change_of_style_lets_go_of_each_before_it_is_announced_again(mosquitto: Mosquitto) -> None:
    """In this order at the broker; in the end one style lies there."""
    switch = "homeassistant/switch/cti_home_GROUP_support/login_anna/config"
    with Watcher(mosquitto.host, mosquitto.port, switch, SUPPORT) as watcher:
        with Door(settings(mosquitto, "entity")):
            watcher.wait_for(switch)
        before = watcher.mark
        with Door(settings(mosquitto, "device")):
            watcher.wait_for(SUPPORT, after=before)
        let_go, taken, announced = watcher.heard[before:]
        assert (let_go.payload, let_go.retained) == ('{"migrate_discovery": true}', False)
        assert (taken.topic, taken.payload) == (switch, "")
        assert announced.topic == SUPPORT


def test_a_start_of_home_assistant_is_answered_with_all_states(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """`online` at its status topic, not retained; again at the next one."""
    with Door(settings(mosquitto)):
        watcher.wait_for(SALES)
        for _ in range(2):
            before = watcher.mark
            watcher.publish(STATUS, "online")
            watcher.wait_for(f"{P}/bridge/info", after=before)
            watcher.wait_for(f"{P}/user/cara/monitor", after=before)
            said = {h.topic for h in watcher.heard[before:] if h.topic != STATUS}
            assert {f"{ANNA}/state", f"{P}/group/sales/night/state", f"{P}/line/anna/state"} <= said
            assert not {SITE, SUPPORT} & said
        before = watcher.mark
        watcher.publish(STATUS, "offline")
        watcher.publish(STATUS, "online", retain=True)
        watcher.publish(f"{P}/bridge/request/calls", "")
        watcher.wait_for(f"{P}/bridge/response/calls", after=before)
        assert not watcher.payloads(f"{P}/bridge/info", after=before)


def test_two_bridges_do_not_take_each_others_away(mosquitto: Mosquitto) -> None:
    """Nor what other programs have announced."""
    mosquitto.publish("homeassistant/device/zigbee/config", "{}", retain=True)
    mosquitto.publish("homeassistant/switch/cti_homes/login_x/config", "{}", retain=True)
    mosquitto.publish("cti/homes/line/x/state", "{}", retain=True)
    with Door(settings(mosquitto)), Door(settings(mosquitto, prefix="cti/elsewhere"), reduced()):
        with Watcher(mosquitto.host, mosquitto.port, "#") as watcher:
            watcher.wait_for("homeassistant/device/cti_elsewhere_GROUP_support/config")
            watcher.wait_for(SALES)
        found = lying(mosquitto, SITE)
        assert found["homeassistant/device/zigbee/config"] == found["cti/homes/line/x/state"] == "{}"
        assert found["homeassistant/switch/cti_homes/login_x/config"] == "{}"
        assert found[f"{P}/line/cara/state"]


# -- what an earlier run has left ---------------------------------------------------------------------------------


def test_what_left_the_configuration_while_the_bridge_was_down_is_taken_away(mosquitto: Mosquitto) -> None:
    """Groups, members, lines, monitors and devices; the rest lies there as it was."""
    with Door(settings(mosquitto)), Watcher(mosquitto.host, mosquitto.port, "#") as watcher:
        watcher.wait_for(SALES)
    with Door(settings(mosquitto), reduced()), Watcher(mosquitto.host, mosquitto.port, "#") as watcher:
        watcher.wait_for(SUPPORT, lambda h: "login_anna" not in h.payload)
        left = {topic for topic, payload in lying(mosquitto, SITE).items() if payload and topic != STATUS}
    ben = f"{P}/group/support/member/ben/state"
    assert left == {
        *(f"{P}/bridge/state", f"{P}/bridge/info", f"{P}/group/support/state", ben),
        *(f"{P}/group/support/night/state", f"{P}/group/support/missed/state", f"{P}/user/ben/monitor"),
        *(f"{P}/line/anna/state", f"{P}/line/ben/state"),
        *(SITE, SUPPORT),
    }


def test_a_member_who_left_is_named_once_more_and_then_left_out(mosquitto: Mosquitto) -> None:
    """With nothing but the platform, so that Home Assistant lets the entity go."""
    with Door(settings(mosquitto)), Watcher(mosquitto.host, mosquitto.port, SUPPORT) as watcher:
        watcher.wait_for(SUPPORT)
    with Watcher(mosquitto.host, mosquitto.port, SUPPORT) as watcher:
        with Door(settings(mosquitto), reduced()):
            watcher.wait_for(SUPPORT, lambda h: "login_anna" not in h.json["components"])
        once = [h.json["components"].get("login_anna") for h in watcher.heard]
    assert once[-2:] == [{"platform": "switch"}, None]


def test_another_configuration_is_said_without_a_new_connection(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """What it has is said, what it has no more is taken away, and `online` is said again for whoever asks then."""
    with Door(settings(mosquitto)) as door:
        watcher.wait_for(SALES)
        before = watcher.mark
        door.reload(reduced())
        door.tell(Notice(NOW, "configuration", "another one"))
        watcher.wait_for_payload(SALES, "", after=before)
        watcher.wait_for_payload(f"{P}/group/sales/state", "", after=before)
        watcher.wait_for_payload(f"{P}/bridge/state", "online", after=before)
        found = watcher.wait_for(SUPPORT, lambda h: "login_anna" not in h.payload, after=before)
        assert "login_ben" in found.json["components"]


# -- users --------------------------------------------------------------------------------------------------------


def monitor(watcher: Watcher, user: str, after: int = 0) -> Any:
    """Return a user's monitor, as it was said last."""
    watcher.wait_for(f"{P}/user/{user}/monitor", after=after)
    return json.loads(watcher.payloads(f"{P}/user/{user}/monitor", after=after)[-1])


def test_a_monitor_shows_the_user_what_the_user_may_see(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """Retained; logins and lines of the user's groups, as they change, and nobody's numbers."""
    with Door(settings(mosquitto)) as door:
        watcher.wait_for(SALES)
        seen = monitor(watcher, "anna")
        assert list(seen["groups"]) == ["support"]
        assert seen["groups"]["support"]["members"]["ben"]["login"] == "OFF"
        before = watcher.mark
        door.submit(LoginVerb.LOGIN, "support", "anna")
        changed = monitor(watcher, "ben", before)["groups"]["support"]["members"]["anna"]
        assert (changed["login"], changed["line"]) == ("ON", "idle")
        watcher.wait_for(f"{P}/user/cara/monitor", after=before)
        before = watcher.mark
        door.tell(LineChanged(NOW, "lobby", "idle"), Notice(NOW, "test", "the last word"))
        watcher.wait_for(f"{P}/bridge/event", lambda h: "the last word" in h.payload, after=before)
        assert not watcher.payloads(f"{P}/user/anna/monitor", after=before), "nothing has changed in it"


def test_a_user_asks_in_that_users_own_name(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """With that user's rights, the user's own login where nobody is named; answered at the user's own topic."""
    with Door(settings(mosquitto)) as door:
        watcher.wait_for(SALES)
        request, response = f"{P}/user/anna/request", f"{P}/user/anna/response"
        watcher.publish(f"{request}/login", {"group": "support", "transaction": "a"})
        answer = watcher.wait_for(f"{response}/login").json
        assert (answer["status"], answer["transaction"], answer["data"]["changed"][0]["by"]) == ("ok", "a", "anna")
        assert door.bureau.port.login("support", "anna").by == "anna"
        watcher.publish(f"{request}/logout", {"group": "sales", "member": "ben"})
        assert watcher.wait_for(f"{response}/logout").json["error"]["code"] == "not_allowed"
        watcher.publish(f"{request}/group", {"group": "support"})
        assert watcher.wait_for(f"{response}/group").json["data"]["logged_in"] == 1
        watcher.publish(f"{request}/calls", "")
        assert watcher.wait_for(f"{response}/calls").json["data"] == {"calls": []}
        watcher.publish(f"{request}/lines", "")
        assert watcher.wait_for(f"{response}/lines").json["data"]["lines"]["ben"]["contacts"] == []
        watcher.publish(f"{request}/group", {"group": "gone"}, response="answers/elsewhere", correlation=b"7")
        refused = watcher.wait_for(f"{response}/group", lambda h: h.correlation == b"7")
        assert refused.json["error"]["code"] == "unknown_group"
        assert not watcher.payloads("answers/elsewhere")
        watcher.publish(f"{P}/user/nobody/request/login", {"group": "support", "member": "anna"})
        unknown = watcher.wait_for(f"{P}/user/nobody/response/login").json
        assert unknown["error"]["code"] == "unknown_user"


def test_the_night_switch(mosquitto: Mosquitto, watcher: Watcher) -> None:
    """ON closes the group; its state says so, and the group's does."""
    with Door(settings(mosquitto)):
        watcher.wait_for(SALES)
        before = watcher.mark
        watcher.publish(f"{P}/group/support/night/set", "ON")
        assert watcher.wait_for(f"{P}/bridge/response/set", after=before).json["status"] == "ok"
        night = watcher.wait_for(f"{P}/group/support/night/state", after=before)
        assert (night.json["open"], night.json["night"], night.json["by"]) == (False, "closed", "owner")
        assert night.retained
        assert watcher.wait_for(f"{P}/group/support/state", after=before).json["open"] is False
        watcher.publish(f"{P}/group/support/night/set", {"night": "hours", "transaction": 1})
        watcher.wait_for(f"{P}/group/support/night/state", lambda h: h.json["open"], after=before)
