"""What Home Assistant is told, held to the rules of its documentation."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from bridge.directory.model import Directory, Group, Line, Member
from bridge.mqtt.discovery import PLATFORMS, Device, DiscoveryTopics
from bridge.mqtt.entities import Site, devices, entity_id
from bridge.mqtt.topics import Topics
from tests.support.office import office

TOPICS, WHERE = Topics("cti/home"), DiscoveryTopics("homeassistant", "cti/home")
SITE = Site("home", "0.1.0", ("fritz", "sipgate"))

OF_ALL = {
    *("unique_id", "name", "object_id", "default_entity_id", "icon", "entity_category", "availability_topic", "qos"),
    *("json_attributes_topic", "json_attributes_template", "state_topic", "value_template", "device_class"),
}
OF_PLATFORM = {
    "switch": {"command_topic", "payload_on", "payload_off", "state_on", "state_off"},
    "sensor": {"state_class", "options"},
    "binary_sensor": {"payload_on", "payload_off"},
    "event": {"event_types"},
    "button": {"command_topic", "payload_press"},
}
REQUIRED = {
    "switch": {"command_topic"},
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
    "button": {"command_topic"},
}
DEVICE_KEYS = {"identifiers", "name", "manufacturer", "model", "sw_version", "via_device"}
ENTITY_ID = re.compile(r"(?!.+__)(?!_)[a-z]+(?:_[a-z]+)*\.(?!_)[0-9a-z_]+(?<!_)")


def office_devices() -> tuple[Device, ...]:
    """Return the devices of the office."""
    return devices(SITE, office(), TOPICS, WHERE)


def entities() -> list[tuple[str, dict[str, Any]]]:
    """Return all entities, as platform and configuration."""
    return [(each.platform, dict(each.config)) for device in office_devices() for each in device.entities]


def named(platform: str, name: str) -> dict[str, Any]:
    """Return the configuration of an entity by its id."""
    (found,) = (config for _, config in entities() if config["default_entity_id"] == f"{platform}.{name}")
    return found


def test_only_keys_that_the_documentation_has() -> None:
    """And all that it requires; a unique id, so that people can change the rest."""
    for platform, config in entities():
        assert platform in PLATFORMS
        assert set(config) - OF_ALL <= OF_PLATFORM[platform], config
        assert {*REQUIRED[platform], "unique_id", "name"} <= set(config)


def test_devices_have_only_known_keys_and_the_site_comes_first() -> None:
    """The groups hang on it; a device that hangs on an unknown one is a warning."""
    site, *groups = office_devices()
    assert site.info["identifiers"] == ["cti/home"]
    assert [group.info["via_device"] for group in groups] == ["cti/home"] * 2
    for device in (site, *groups):
        assert set(device.info) <= DEVICE_KEYS
        assert set(device.origin) <= {"name", "sw_version", "support_url"}


def test_ids_are_unique_and_entity_ids_are_ones() -> None:
    """Within the whole bridge."""
    unique = Counter((platform, config["unique_id"]) for platform, config in entities())
    asked = Counter(config["default_entity_id"] for _, config in entities())
    assert max(unique.values()) == max(asked.values()) == 1
    for platform, config in entities():
        assert ENTITY_ID.fullmatch(config["default_entity_id"])
        assert config["default_entity_id"] == f"{platform}.{config['object_id']}"


def test_keys_are_unique_within_a_device_and_fit_a_topic() -> None:
    """They name the entity in both styles."""
    for device in office_devices():
        keys = [each.key for each in device.entities]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", key) for key in (device.id, *keys))


def test_ids_hang_on_names_alone() -> None:
    """The order of members, the version and what is shown make no difference."""
    before = {config["unique_id"] for _, config in entities()}
    turned = office(shown="Support desk", members=tuple(reversed(office().groups["support"].members)))
    after = devices(Site("home", "9.9.9", ("sipgate", "fritz")), turned, TOPICS, WHERE)
    assert {each.config["unique_id"] for device in after for each in device.entities} == before


def test_everything_but_the_link_is_unavailable_without_the_bridge() -> None:
    """The link itself says so instead."""
    without = [c["default_entity_id"] for _, c in entities() if c.get("availability_topic") != "cti/home/bridge/state"]
    assert without == ["binary_sensor.home_link"]


def test_numbers_plot_and_counters_of_the_day_may_fall() -> None:
    """A state class is what makes a curve of a number."""
    assert named("sensor", "home_support_waiting")["state_class"] == "measurement"
    assert named("sensor", "home_support_logged_in")["state_class"] == "measurement"
    assert named("sensor", "home_support_answered_today")["state_class"] == "total_increasing"
    since = named("sensor", "home_support_waiting_since")
    assert since["device_class"] == "timestamp"
    assert "state_class" not in since


def test_an_enumeration_has_options_and_no_state_class() -> None:
    """As its device class wants it; "unknown" is none, for Home Assistant has a word of its own for it."""
    line = named("sensor", "home_line_anna")
    assert line["device_class"] == "enum"
    assert line["options"] == ["idle", "ringing", "busy", "unreachable"]
    assert "state_class" not in line


def test_a_member_is_a_switch_on_the_contracts_topics() -> None:
    """It shows what is confirmed, with who and since when beside it."""
    switch = named("switch", "home_support_login_anna")
    assert switch["command_topic"] == "cti/home/group/support/member/anna/set"
    assert switch["state_topic"] == switch["json_attributes_topic"] == "cti/home/group/support/member/anna/state"
    assert switch["name"] == "Anna"
    assert "optimistic" not in switch


def test_events_are_the_contracts() -> None:
    """An event of another type would be refused."""
    types = ["abandoned", "answered", "ended", "missed", "offered", "overflowed"]
    assert named("event", "home_support_call")["event_types"] == types
    assert named("event", "home_call")["event_types"] == types


def test_trunks_are_connectivity_of_the_site() -> None:
    """Registered and static are connected."""
    trunk = named("binary_sensor", "home_trunk_fritz")
    assert trunk["device_class"] == "connectivity"
    assert "value_json.trunks['fritz'].state in ['registered', 'static']" in trunk["value_template"]


@pytest.mark.parametrize("name", ["a", "_", "a__b", "-a-", "0", "a-b_c", "_-x-_"])
def test_any_name_makes_an_entity_id(name: str) -> None:
    """Names may begin, end and go on with _ and -, which ids may not."""
    lines = {name: Line(name, "1")}
    groups = {name: Group(name, name, "2", (Member(name, name, device=True),))}
    made = devices(Site(name, "1"), Directory(lines, {}, groups), TOPICS, WHERE)
    for device in made:
        for each in device.entities:
            assert ENTITY_ID.fullmatch(each.config["default_entity_id"]), each.config["default_entity_id"]


def test_entity_ids_are_words_joined() -> None:
    """With the platform in front."""
    assert entity_id("switch", "home", "support", "login", "anna-m") == "switch.home_support_login_anna_m"
