"""What is published so that Home Assistant knows exactly what there is, whatever it was told before."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mqtt.discovery import Announcement, Device, DiscoveryTopics, Entity, Style, plan, site_id

TOPICS = DiscoveryTopics("homeassistant", "cti/home")
SUPPORT = "cti_home_GROUP_support"
LOGIN, WAITING = Entity("switch", "login_anna", {"unique_id": "a"}), Entity("sensor", "waiting", {"unique_id": "w"})
DEVICE = Device(SUPPORT, {"identifiers": ["x"]}, {"name": "cti-bridge"}, (LOGIN, WAITING))
DEVICE_TOPIC = f"homeassistant/device/{SUPPORT}/config"
LOGIN_TOPIC = f"homeassistant/switch/{SUPPORT}/login_anna/config"
WAITING_TOPIC = f"homeassistant/sensor/{SUPPORT}/waiting/config"
MIGRATE = '{"migrate_discovery": true}'

Retained = dict[str, str]


def announced(style: Style, device: Device | None = DEVICE, found: Retained | None = None) -> list[Announcement]:
    """Return what is published."""
    return list(plan(style, (device,) if device else (), found or {}, TOPICS))


def left(published: list[Announcement], before: Retained) -> Retained:
    """Return what lies at the broker after all that was published."""
    after = dict(before)
    for topic, payload, retain in published:
        if retain:
            after[topic] = payload
    return {topic: payload for topic, payload in after.items() if payload}


def without(*keys: str) -> Device:
    """Return the device without some of its entities."""
    return dataclasses.replace(DEVICE, entities=tuple(e for e in DEVICE.entities if e.key not in keys))


def test_device_style_is_one_message_for_all() -> None:
    """With the origin that it has to have, and the platform in each component."""
    ((topic, payload, retain),) = announced(Style.DEVICE)
    assert (topic, retain) == (DEVICE_TOPIC, True)
    assert json.loads(payload) == {
        "device": {"identifiers": ["x"]},
        "origin": {"name": "cti-bridge"},
        "components": {
            "login_anna": {"platform": "switch", "unique_id": "a"},
            "waiting": {"platform": "sensor", "unique_id": "w"},
        },
    }


def test_entity_style_is_a_message_each() -> None:
    """Under the device's id and the same key, so that it is the same entity in both styles."""
    first, second = announced(Style.ENTITY)
    assert (first.topic, second.topic) == (LOGIN_TOPIC, WAITING_TOPIC)
    assert json.loads(first.payload)["device"] == {"identifiers": ["x"]}


def test_off_announces_nothing_and_takes_away_what_was() -> None:
    """Nothing stale is left."""
    before = left(announced(Style.DEVICE), {})
    assert announced(Style.OFF) == []
    assert left(announced(Style.OFF, found=before), before) == {}


def test_an_entity_that_is_gone_is_named_once_more_with_its_platform_alone() -> None:
    """Then it is left out; only leaving it out would let it stay."""
    before = left(announced(Style.DEVICE), {})
    first, second = announced(Style.DEVICE, without("login_anna"), before)
    assert json.loads(first.payload)["components"]["login_anna"] == {"platform": "switch"}
    assert set(json.loads(second.payload)["components"]) == {"waiting"}
    again = announced(Style.DEVICE, without("login_anna"), {DEVICE_TOPIC: second.payload})
    assert again == [second]


def test_a_group_that_is_gone_disappears() -> None:
    """In both styles, by an empty message."""
    for style in (Style.DEVICE, Style.ENTITY):
        before = left(announced(style), {})
        published = announced(style, None, before)
        assert {(topic, payload) for topic, payload, _ in published} == {(topic, "") for topic in before}


def test_from_entities_to_a_device_each_is_let_go_of_before_it_is_announced_again() -> None:
    """Let go, taken away, announced; what is not there any more is only taken away. Nothing is there in both styles."""
    before = left(announced(Style.ENTITY), {})
    published = announced(Style.DEVICE, found=before)
    assert [(topic, payload) for topic, payload, _ in published[:-1]] == [
        (LOGIN_TOPIC, MIGRATE),
        (WAITING_TOPIC, MIGRATE),
        (LOGIN_TOPIC, ""),
        (WAITING_TOPIC, ""),
    ]
    assert [each.retain for each in published] == [False, False, True, True, True]
    assert set(left(published, before)) == {DEVICE_TOPIC}


def test_from_a_device_to_entities_is_the_same_way_back() -> None:
    """One message lets go of all."""
    before = left(announced(Style.DEVICE), {})
    published = announced(Style.ENTITY, found=before)
    assert published[:2] == [Announcement(DEVICE_TOPIC, MIGRATE, False), Announcement(DEVICE_TOPIC, "", True)]
    assert set(left(published, before)) == {LOGIN_TOPIC, WAITING_TOPIC}


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/device/zigbee_x/config",
        "homeassistant/device/cti_homes/config",
        "homeassistant/device/cti_home2_GROUP_support/config",
        "homeassistant/switch/other/login_anna/config",
        "homeassistant/light/cti_home/x/config",
        "other/device/cti_home/config",
        "homeassistant/device/cti_home/x/config",
    ],
)
def test_what_others_announce_is_let_be(topic: str) -> None:
    """Another bridge's, another program's, another prefix's."""
    published = announced(Style.DEVICE, None, {topic: "{}"})
    assert published == []


@pytest.mark.parametrize(
    "payload", ["", "{", "[]", "null", '{"components": []}', '{"components": {"a": 1}}', "[" * 9999]
)
def test_what_cannot_be_read_there_is_written_over(payload: str) -> None:
    """Whoever wrote it."""
    assert announced(Style.DEVICE, found={DEVICE_TOPIC: payload}) == announced(Style.DEVICE)


NAMES = st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True)
KEYS = st.dictionaries(NAMES, st.sampled_from(["switch", "sensor"]), max_size=3)
SITES = st.dictionaries(NAMES, KEYS, max_size=3)


def made(site: dict[str, dict[str, str]]) -> list[Device]:
    """Return devices of groups with entities."""
    return [
        Device(TOPICS.group(name), {}, {}, tuple(Entity(platform, key, {}) for key, platform in keys.items()))
        for name, keys in site.items()
    ]


@given(SITES, SITES, st.sampled_from(Style), st.sampled_from(Style))
def test_whatever_was_announced_only_what_is_wanted_is_left(
    before: dict[str, dict[str, str]], after: dict[str, dict[str, str]], first: Style, second: Style
) -> None:
    """Between any two configurations and styles."""
    found = left(list(plan(first, made(before), {}, TOPICS)), {})
    published = list(plan(second, made(after), found, TOPICS))
    assert left(published, found) == left(list(plan(second, made(after), {}, TOPICS)), {})


ALLOWED = re.compile(r"[a-zA-Z0-9_-]+")


@given(st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_every_prefix_has_an_id_that_home_assistant_takes(prefix: str) -> None:
    """Letters, digits, _ and -."""
    assert ALLOWED.fullmatch(site_id(prefix))


def test_no_two_prefixes_share_an_id() -> None:
    """Nor is a site taken for another one's group."""
    prefixes = ["cti/home", "cti_home", "cti/home/", "CTI/home", "a/b_c", "a_b/c", "cti/home_group_support", "cti/a-b"]
    assert len({site_id(prefix) for prefix in prefixes}) == len(prefixes)
    assert site_id("cti/home") == "cti_home"
    assert not DiscoveryTopics("homeassistant", "cti/home").place("homeassistant/device/cti_home_group_x/config")


def test_births_are_heard_at_the_usual_place_too() -> None:
    """Home Assistant says it there whatever the discovery prefix is, unless told otherwise."""
    assert DiscoveryTopics("ha", "cti/home").births() == ("ha/status", "homeassistant/status")
    assert TOPICS.births() == ("homeassistant/status",)
