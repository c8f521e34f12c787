"""Home Assistant's own MQTT integration against what the bridge announces; asked for by a variable, see `WANTED`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bridge.directory.model import Directory
from bridge.events import GroupCall
from bridge.mqtt.model import MqttSettings
from tests.support.doors import Door
from tests.support.homeassistant import PACKAGES, WANTED, HomeAssistant, python
from tests.support.mosquitto import Mosquitto
from tests.support.office import NOW, office
from tests.support.process import wait_until

P = "cti/home"
ANNA = "switch.home_support_login_anna"

pytestmark = pytest.mark.skipif(
    python() is None,
    reason=f"Home Assistant itself is installed and asked only where {WANTED} is 1 or the path of a Python of "
    f"version {' or '.join('.'.join(map(str, version)) for version in PACKAGES)}; the rules are tested without it",
)


@pytest.fixture
def hass(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[HomeAssistant]:
    """Run Home Assistant at the broker."""
    with HomeAssistant(tmp_path / "hass", mosquitto.host, mosquitto.port) as running:
        yield running


def settings(broker: Mosquitto, style: str) -> MqttSettings:
    """Return how to reach a broker and announce."""
    return MqttSettings(broker.host, P, port=broker.port, discovery=style)


def styles() -> list[str]:
    """Return the styles that the version at hand knows."""
    found = python()
    return ["entity"] if found and found[1] < (3, 13) else ["device", "entity"]


def without(directory: Directory, member: str) -> Directory:
    """Return a directory whose groups have lost a member."""
    groups = {
        name: dataclasses.replace(group, members=tuple(m for m in group.members if m.name != member))
        for name, group in directory.groups.items()
    }
    return dataclasses.replace(directory, groups=groups)


HARMLESS = (
    "Invalid state message",  # 2024.3 on a time that there is not; it is unknown, as it should be
    "No device components to cleanup",  # a device's message taken away after its entities were let go
)


def serious(look: dict[str, Any]) -> list[str]:
    """Return the complaints that say that something is wrong."""
    return [said for said in look["complaints"] if not any(words in said for words in HARMLESS)]


@pytest.mark.parametrize("style", styles())
def test_everything_is_there_works_and_goes(hass: HomeAssistant, mosquitto: Mosquitto, style: str) -> None:
    """Under the promised ids; a switch logs in; a call is an event; the will makes all unavailable."""
    with Door(settings(mosquitto, style)) as door:
        found = hass.wait_for(lambda e: e.get(ANNA, {}).get("state") == "off" and len(e) == 35, "all are announced")
        assert {"sensor.home_support_waiting", "binary_sensor.home_support_ringing", "event.home_call"} <= set(found)
        assert found["sensor.home_support_waiting"]["attributes"]["state_class"] == "measurement"
        assert found["sensor.home_support_waiting_since"]["state"] == "unknown"
        assert sorted(hass.look()["devices"].values()) == ["CTI bridge home", "Sales", "Support"]
        hass.ask("call", "switch", "turn_on", ANNA)
        seen = hass.wait_for(lambda e: e[ANNA]["state"] == "on", "the switch follows")[ANNA]
        assert (seen["attributes"]["by"], seen["attributes"]["friendly_name"]) == ("owner", "Support Anna")
        assert door.bureau.port.login("support", "anna").logged_in
        mosquitto.process.wait_for(rf"{P}/bridge/event \(QoS")
        door.tell(GroupCall(NOW, "offered", "support", "c1", "0401234", "Cara", "anna"))
        called = hass.wait_for(lambda e: e["event.home_call"]["state"] != "unknown", "the call is told")
        assert called["event.home_call"]["attributes"]["caller"] == "0401234"
        assert called["event.home_support_call"]["attributes"]["event_type"] == "offered"
        assert "caller" not in called["event.home_support_call"]["attributes"]
    hass.wait_for(lambda e: e[ANNA]["state"] == "unavailable", "the bridge is gone")
    assert hass.look()["entities"]["binary_sensor.home_link"]["state"] == "off"
    assert serious(hass.look()) == []


@pytest.mark.parametrize("style", styles())
def test_a_member_who_has_left_disappears(hass: HomeAssistant, mosquitto: Mosquitto, style: str) -> None:
    """The entity is not there any more, and the others are as they were."""
    with Door(settings(mosquitto, style)):
        hass.wait_for(lambda e: ANNA in e and len(e) == 35, "all are announced")
    with Door(settings(mosquitto, style), without(office(), "anna")):
        hass.wait_for(lambda e: ANNA not in e and len(e) == 34, "the member is gone")
    assert serious(hass.look()) == []


@pytest.mark.skipif("device" not in styles(), reason="this version of Home Assistant knows one style")
@pytest.mark.parametrize("way", [("entity", "device"), ("device", "entity")])
def test_a_change_of_style_keeps_what_was_set_by_hand(
    hass: HomeAssistant, mosquitto: Mosquitto, way: tuple[str, str]
) -> None:
    """The entities stay the same ones, with the names that somebody gave them, and nothing conflicts."""
    before, after = way
    with Door(settings(mosquitto, before)):
        hass.wait_for(lambda e: len(e) == 35, "all are announced")
        hass.ask("rename", ANNA, "Chief")
    with Door(settings(mosquitto, after)) as door:
        wait_until(lambda: door.link.state == "connected", "the door is back")
        found = hass.wait_for(lambda e: len(e) == 35 and e[ANNA]["state"] == "off", "all are announced again")
        assert found[ANNA]["name"] == "Chief"
    assert serious(hass.look()) == []


def test_the_blueprint_tells_who_is_calling_and_logs_in(hass: HomeAssistant, mosquitto: Mosquitto) -> None:
    """A notification with the caller and buttons, which goes when the call is answered; a button logs in."""
    with Door(settings(mosquitto, "entity")) as door:
        blueprint = files("bridge.mqtt").joinpath("homeassistant/who_is_calling.yaml")
        assert hass.ask("automate", str(blueprint)) == {"done": True, "state": "on"}
        hass.wait_for(lambda e: len(e) == 35, "all are announced")
        mosquitto.process.wait_for(rf"{P}/bridge/event \(QoS")
        door.tell(GroupCall(NOW, "offered", "sales", "c0", "0409999", "", "ben"))
        door.tell(GroupCall(NOW, "offered", "support", "c1", "0401234", "Cara", "anna"))
        wait_until(lambda: hass.ask("notified")["notified"], "the phone is notified")
        (told,) = hass.ask("notified")["notified"]
        assert (told["title"], told["message"]) == ("Cara is calling support", "0401234")
        buttons = {button["title"]: button["action"] for button in told["data"]["actions"]}
        assert list(buttons) == ["Log in", "Log out"]
        hass.ask("press", buttons["Log in"])
        wait_until(lambda: door.bureau.port.login("support", "anna").logged_in, "the member is logged in")
        door.tell(GroupCall(NOW, "answered", "support", "c1", "0401234", "Cara", "anna"))
        wait_until(lambda: len(hass.ask("notified")["notified"]) == 2, "the notification is taken away")
        gone = hass.ask("notified")["notified"][1]
        assert (gone["message"], gone["data"]["tag"]) == ("clear_notification", told["data"]["tag"])
