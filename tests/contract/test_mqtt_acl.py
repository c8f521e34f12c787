"""The rules that `cti-bridge acl` prints, enforced by Mosquitto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.calls.status import CallStatus
from bridge.directory.model import Directory, Level
from bridge.events import GroupCall
from bridge.mqtt.acl import acl
from bridge.mqtt.model import MqttSettings
from bridge.mqtt.topics import Topics
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
from tests.support.office import NOW, office
from tests.support.process import wait_until
from tests.support.watcher import Watcher

P = "cti/home"
ANNA = f"{P}/group/support/member/anna"
USERS = {"cti": "c", "hass": "h", "anna": "a", "ben": "b", "stranger": "s"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a broker with these rules."""
    rules = acl(Topics(P), "cti", ["hass"], ["anna", "ben"], "homeassistant")
    with Mosquitto(tmp_path / "mosquitto", users=USERS, acl=rules) as running:
        yield running


@pytest.fixture
def door(broker: Mosquitto) -> Iterator[Door]:
    """Open the bridge's door there."""
    settings = MqttSettings(broker.host, P, port=broker.port, username="cti", password="c")
    with Door(settings) as opened:
        yield opened


def watch(broker: Mosquitto, user: str, *topics: str) -> Watcher:
    """Watch as a user."""
    return Watcher(broker.host, broker.port, *(topics or ("#",)), username=user, password=USERS[user])


def test_the_bridge_and_its_owner_may_do_all(broker: Mosquitto, door: Door) -> None:
    """Nothing is refused to the bridge; the owner sees and sets everything."""
    with watch(broker, "hass") as hass:
        hass.wait_for("homeassistant/device/cti_home/config")
        hass.publish(f"{ANNA}/set", "ON")
        assert hass.wait_for(f"{P}/bridge/response/set").json["status"] == "ok"
        hass.wait_for(f"{P}/bridge/event")
    assert door.link.fine


def test_a_user_controls_the_own_line_alone(broker: Mosquitto, door: Door) -> None:
    """The verbs of lines act for the own line in the user's name; another's is refused, with what would be needed."""
    with watch(broker, "anna") as anna:
        anna.publish(f"{P}/user/anna/request/divert", {"number": "202", "when": "busy", "transaction": 1})
        answer = anna.wait_for(f"{P}/user/anna/response/divert").json
        assert (answer["status"], answer["data"]["line"], answer["data"]["divert"]["busy"]) == ("ok", "anna", "202")
        anna.publish(f"{P}/user/anna/request/dnd", {"on": True, "line": "ben"})
        refused = anna.wait_for(f"{P}/user/anna/response/dnd").json["error"]
        assert refused["code"] == "not_allowed" and "additional_lines" in refused["message"]
        anna.publish(f"{P}/user/anna/request/pickup", {"group": "support"})
        assert anna.wait_for(f"{P}/user/anna/response/pickup").json["error"]["code"] == "no_call"
        anna.publish(f"{P}/user/anna/request/dial", {"number": "anna@home"})
        assert anna.wait_for(f"{P}/user/anna/response/dial").json["error"]["code"] == "bad_request"


def test_a_user_asks_in_no_other_name(broker: Mosquitto, door: Door) -> None:
    """What goes to `set` topics, to the owner's requests and to other users' never arrives at the bridge."""
    with watch(broker, "hass") as hass, watch(broker, "anna") as anna:
        for topic in (f"{ANNA}/set", f"{P}/bridge/request/logout", f"{P}/user/ben/request/login"):
            anna.publish(topic, {"group": "support", "member": "anna", "login": "ON"})
        anna.publish(f"{P}/group/support/night/set", "ON")
        anna.publish(f"{P}/bridge/state", "offline", retain=True)
        anna.publish(f"{P}/user/anna/request/login", {"group": "support"})
        assert anna.wait_for(f"{P}/user/anna/response/login").json["status"] == "ok"
        hass.wait_for(f"{ANNA}/state", lambda h: h.json["login"] == "ON")
        hass.wait_for(f"{P}/user/anna/response/login")
        assert {h.topic for h in hass.heard if "/response/" in h.topic} == {f"{P}/user/anna/response/login"}
        assert "offline" not in hass.payloads(f"{P}/bridge/state")
        assert not door.bureau.port.login("support", "ben").logged_in


def test_a_user_reads_what_is_public_and_the_users_own(broker: Mosquitto, door: Door) -> None:
    """Not the owner's events with their callers, not others' monitors, not Home Assistant's topics."""
    with watch(broker, "hass") as hass, watch(broker, "anna") as anna:
        hass.wait_for("homeassistant/device/cti_home_GROUP_sales/config")
        hass.publish(f"{P}/bridge/request/login", {"group": "support", "member": "ben"})
        anna.wait_for(f"{P}/group/support/member/ben/state", lambda h: h.json["login"] == "ON")
        anna.wait_for(f"{P}/user/anna/monitor", lambda h: '"ON"' in h.payload)
        heard = {h.topic for h in anna.heard}
        assert f"{P}/line/ben/state" in heard
        wrong = {t for t in heard if not t.startswith((f"{P}/group/", f"{P}/line/", f"{P}/user/anna/"))}
        assert wrong == set()


def test_who_is_not_named_sees_nothing(broker: Mosquitto, door: Door) -> None:
    """A user of the broker who is no user of the bridge."""
    with watch(broker, "hass") as hass, watch(broker, "stranger") as stranger:
        hass.wait_for(f"{P}/bridge/state")
        stranger.publish(f"{ANNA}/set", "ON")
        hass.publish(f"{P}/bridge/request/calls", "")
        hass.wait_for(f"{P}/bridge/response/calls")
        wait_until(lambda: "Denied PUBLISH" in broker.process.output, "the broker has refused")
        assert stranger.heard == []
        assert not door.bureau.port.login("support", "anna").logged_in


CALL = CallStatus("c1", "hunting", "030123", "Zoe", "600", "support", NOW, ("anna",), rung=("anna",))
NUMBERS = ("030123", "Zoe")


def people(level: Level) -> Directory:
    """Return the office, where nobody sees anything of anybody but through the groups, and leaders have this level."""
    made = office(member_level=Level.NONE, leader_level=level)
    return replace(made, site_level=Level.NONE)


def monitored(watcher: Watcher, user: str) -> Any:
    """Return Anna as a user's monitor of support shows her now, None where it does not."""
    monitor = json.loads(watcher.payloads(f"{P}/user/{user}/monitor")[-1])
    return monitor["groups"]["support"]["members"].get("anna")


@pytest.mark.parametrize("level", [Level.PUBLIC, Level.BUSINESS])
def test_each_sees_only_their_own(tmp_path: Path, level: Level) -> None:
    """Anna's caller reaches Anna, and Cara, who leads her, from `business` on; Ben not even learns that she is in.

    The broker gives each their own topics, and the bridge writes nothing there that is not for them.
    """
    rules = acl(Topics(P), "cti", ["hass"], ["anna", "ben", "cara"], None, public=False)
    with Mosquitto(tmp_path / "mosquitto", users={**USERS, "cara": "c"}, acl=rules) as broker:
        settings = MqttSettings(broker.host, P, port=broker.port, username="cti", password="c")
        with (
            Door(settings, people(level)) as door,
            watch(broker, "anna") as anna,
            watch(broker, "ben") as ben,
            Watcher(broker.host, broker.port, "#", username="cara", password="c") as cara,
            watch(broker, "hass") as hass,
        ):
            for watcher, user in ((anna, "anna"), (ben, "ben"), (cara, "cara")):
                watcher.wait_for(f"{P}/user/{user}/monitor")
            offered = GroupCall(NOW, "offered", "support", "c1", "030123", "Zoe", "anna")
            door.tell(offered, first=lambda bureau: bureau.telephony.up.append(CALL))
            anna.wait_for(f"{P}/user/anna/monitor", lambda h: "030123" in h.payload)
            cara.wait_for(f"{P}/user/cara/monitor", lambda h: level is Level.PUBLIC or "030123" in h.payload)
            hass.wait_for(f"{P}/bridge/event", lambda h: "030123" in h.payload)
            for watcher, user in ((anna, "anna"), (ben, "ben"), (cara, "cara")):
                watcher.publish(f"{P}/user/{user}/request/calls", "")
                watcher.publish(f"{P}/user/{user}/request/login", {"group": "support", "member": "ben"})
                watcher.publish(f"{P}/user/{'ben' if user == 'anna' else 'anna'}/request/logout", {"group": "support"})
                watcher.wait_for(f"{P}/user/{user}/response/calls")
                watcher.wait_for(f"{P}/user/{user}/response/login")
                others = [h.topic for h in watcher.heard if not h.topic.startswith(f"{P}/user/{user}/")]
                assert others == []
            assert monitored(anna, "anna")["calls"][0]["caller"] == "030123"
            assert monitored(ben, "ben") is None
            assert (monitored(cara, "cara")["calls"] is not None) is (level is Level.BUSINESS)
            heard = {user: "".join(h.payload for h in w.heard) for user, w in (("ben", ben), ("cara", cara))}
            assert not any(number in heard["ben"] for number in NUMBERS)
            assert all(number in heard["cara"] for number in NUMBERS) is (level is Level.BUSINESS)
            assert "not_allowed" not in "".join(h.payload for h in ben.heard)  # his own login
            assert '"not_allowed"' in "".join(h.payload for h in anna.heard)
