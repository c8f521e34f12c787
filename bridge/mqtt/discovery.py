"""Announcing devices to Home Assistant: their topics, both styles, and the way from what was announced to what is.

Device style is one message per device with all its entities, for Home Assistant 2024.12 and later; entity style is one
message per entity, for those before. An entity is the same one in both styles because its key within its device is, so
its settings survive a change of style: first `{"migrate_discovery": true}` lets go of it, then the old message is
taken away, then the new one announces it again. Both styles at once would be a conflict, and an entity that is only
left out of a device's message would stay: it is named once more, with nothing but its platform, and left out after
that. What was announced before is what lies at the broker, retained. Pure.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

MIGRATE = '{"migrate_discovery": true}'
PLATFORMS = ("binary_sensor", "button", "event", "sensor", "switch")
"""The platforms of all entities that we announce, or ever did."""

_DEVICE = "device"
_GROUP = "_GROUP_"  # in capitals, which no name has: so no site's name can be mistaken for a group's
_DEFAULT_PREFIX = re.compile(r"cti/([a-z0-9_-]{1,32})")


class Style(StrEnum):
    """How to announce."""

    DEVICE = "device"
    ENTITY = "entity"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a device; `key` names it within the device, `config` is in Home Assistant's own words."""

    platform: str
    key: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Device:
    """One device; `id` is its name in discovery topics, `info` and `origin` are in Home Assistant's own words."""

    id: str
    info: Mapping[str, Any]
    origin: Mapping[str, Any]
    entities: tuple[Entity, ...]


class Announcement(NamedTuple):
    """A message to publish."""

    topic: str
    payload: str
    retain: bool


class Place(NamedTuple):
    """What a discovery topic is about: a device, with a key an entity of it."""

    platform: str
    device: str
    key: str | None


class DiscoveryTopics:
    """The discovery topics of one bridge, below Home Assistant's prefix; `mine` is the bridge's own prefix."""

    def __init__(self, prefix: str, mine: str) -> None:
        self.prefix = prefix
        self.site = site_id(mine)
        self._groups = self.site + _GROUP

    def group(self, name: str) -> str:
        """Return a group's id."""
        return self._groups + name

    def device(self, device: str) -> str:
        """Return where a device is announced."""
        return f"{self.prefix}/{_DEVICE}/{device}/config"

    def entity(self, platform: str, device: str, key: str) -> str:
        """Return where a single entity is announced."""
        return f"{self.prefix}/{platform}/{device}/{key}/config"

    def births(self) -> tuple[str, ...]:
        """Return where Home Assistant says that it has started."""
        return tuple(dict.fromkeys((f"{self.prefix}/status", "homeassistant/status")))

    def everywhere(self) -> tuple[str, ...]:
        """Return filters for all that may have been announced; others' are among it."""
        return (self.device("+"), *(self.entity(platform, "+", "+") for platform in PLATFORMS))

    def place(self, topic: str) -> Place | None:
        """Return what one of this bridge's topics is about, None for any other's."""
        if not topic.startswith(f"{self.prefix}/"):
            return None
        match topic.removeprefix(f"{self.prefix}/").split("/"):
            case ["device", device, "config"] if self._is_mine(device):
                return Place(_DEVICE, device, None)
            case [platform, device, key, "config"] if platform in PLATFORMS and self._is_mine(device):
                return Place(platform, device, key)
        return None

    def _is_mine(self, device: str) -> bool:
        return device == self.site or device.startswith(self._groups)


def site_id(prefix: str) -> str:
    """Return a bridge's id in discovery topics, another one for each prefix: letters, digits, _ and - alone."""
    usual = _DEFAULT_PREFIX.fullmatch(prefix)
    if usual:
        return f"cti_{usual[1]}"
    words = re.sub(r"[^a-z0-9]+", "_", prefix.lower()).strip("_")
    return f"{words}_X{zlib.crc32(prefix.encode()):08x}"


def plan(
    style: Style, devices: Sequence[Device], found: Mapping[str, str], topics: DiscoveryTopics
) -> Iterator[Announcement]:
    """Yield what to publish, in order, so that these devices are announced in this style and nothing else is.

    `found` is what lies at the broker, retained, by topic; others' messages in it are let be.
    """
    wanted = dict(_wanted(style, devices, topics))
    known = {place for topic in wanted if (place := topics.place(topic))}
    mine = {topic: place for topic in found if (place := topics.place(topic))}
    stays = {*(place.device for place in known)}
    for topic, place in mine.items():
        if topic not in wanted and place.device in stays and _is_other(style, place):
            yield Announcement(topic, MIGRATE, retain=False)
    for topic in mine:
        if topic not in wanted:
            yield Announcement(topic, "", retain=True)
    for topic, body in wanted.items():
        gone = _gone(found.get(topic, ""), body) if style is Style.DEVICE else {}
        if gone:
            components = {**body["components"], **gone}
            yield Announcement(topic, _json({**body, "components": components}), retain=True)
        yield Announcement(topic, _json(body), retain=True)


def _wanted(
    style: Style, devices: Sequence[Device], topics: DiscoveryTopics
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for device in devices:
        common = {"device": device.info, "origin": device.origin}
        if style is Style.DEVICE:
            components = {each.key: {"platform": each.platform, **each.config} for each in device.entities}
            yield topics.device(device.id), {**common, "components": components}
        elif style is Style.ENTITY:
            for each in device.entities:
                yield topics.entity(each.platform, device.id, each.key), {**common, **each.config}


def _is_other(style: Style, place: Place) -> bool:
    """Whether this was announced in the other style."""
    return (place.key is None) is (style is Style.ENTITY)


def _gone(before: str, now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components that a device had and has no more, each with nothing but its platform."""
    try:
        components = json.loads(before)["components"]
        return {key: {"platform": c["platform"]} for key, c in components.items() if key not in now["components"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # nothing lay there, or nothing of ours


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
