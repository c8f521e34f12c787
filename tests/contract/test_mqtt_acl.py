"""The rules that `cti-bridge acl` prints, enforced by Mosquitto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.mqtt.acl import acl
from bridge.mqtt.model import MqttSettings
from bridge.mqtt.topics import Topics
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
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
