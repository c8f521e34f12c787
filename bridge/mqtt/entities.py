"""What Home Assistant is told of: a device per group, one for the site, and their entities. Pure.

Unique ids are topics, so they stay as long as the names in the configuration do. Entity ids are asked for in so many
words, so that a dashboard can be written without asking Home Assistant: `object_id` for versions before 2025.10,
`default_entity_id` for those after; each ignores the other's. Whatever depends on the version stands in the entity,
where an unknown key is ignored, and not in the device, where it would reject the whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.commands.verbs import COMMANDS
from bridge.directory.model import Directory, Group
from bridge.mqtt.discovery import Device, DiscoveryTopics, Entity
from bridge.mqtt.states import TOLD_OF_GROUPS
from bridge.mqtt.topics import GroupSubject, LineSubject, MemberSubject, NightSubject, Topics

EVENT_TYPES = sorted(TOLD_OF_GROUPS)
_LINE_STATES = ["idle", "ringing", "busy", "unreachable"]
_FINE = "['registered', 'static']"
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Site:
    """The bridge as Home Assistant is told of it."""

    name: str
    version: str
    trunks: tuple[str, ...] = ()


def entity_id(platform: str, *words: str) -> str:
    """Return an entity id of words that may have any of a name's characters."""
    return f"{platform}.{_NOT_IN_IDS.sub('_', '_'.join(words).lower()).strip('_')}"


def devices(site: Site, directory: Directory, topics: Topics, where: DiscoveryTopics) -> tuple[Device, ...]:
    """Return everything, the site first, for the groups hang on it."""
    made = _Maker(site, topics)
    origin = {"name": "cti-bridge", "sw_version": site.version}
    home = {
        "identifiers": [topics.prefix],
        "name": f"CTI bridge {site.name}",
        "manufacturer": "CTI bridge",
        "model": "Bridge",
        "sw_version": site.version,
    }
    found = [Device(where.site, home, origin, tuple(made.of_site(directory)))]
    for group in directory.groups.values():
        info = {
            "identifiers": [f"{topics.prefix}/group/{group.name}"],
            "name": group.shown,
            "manufacturer": "CTI bridge",
            "model": "Group",
            "via_device": topics.prefix,
        }
        found.append(Device(where.group(group.name), info, origin, tuple(made.of_group(group, directory))))
    return tuple(found)


class _Maker:
    def __init__(self, site: Site, topics: Topics) -> None:
        self._site = site
        self._topics = topics

    # -- a group ----------------------------------------------------------------------------------------------

    def of_group(self, group: Group, directory: Directory) -> Iterator[Entity]:
        for member in group.members:
            yield self._login(group, member.name, directory.shown(member.name))
        yield self._count(group, "logged_in", "Logged in", "mdi:account-check")
        yield self._count(group, "available", "Available", "mdi:account-clock")
        yield self._count(group, "waiting", "Waiting", "mdi:phone-incoming")
        yield self._of_state(
            "sensor",
            group,
            "waiting_since",
            "Waiting since",
            device_class="timestamp",
            value_template="{{ value_json.waiting_since }}",
        )
        yield self._count(group, "answered_today", "Answered today", "mdi:phone-check", "total_increasing")
        yield self._count(group, "abandoned_today", "Abandoned today", "mdi:phone-missed", "total_increasing")
        yield self._of_state(
            "binary_sensor",
            group,
            "ringing",
            "Ringing",
            icon="mdi:phone-ring",
            value_template="{{ 'ON' if value_json.ringing else 'OFF' }}",
        )
        topic = self._topics.group_event(group.name)
        yield self._entity(
            "event",
            f"{topic}",
            "call",
            "Call",
            (group.name, "call"),
            state_topic=topic,
            event_types=EVENT_TYPES,
            icon="mdi:phone",
        )
        if "pickup" in COMMANDS:
            yield self._pickup(group)
        yield self._night(group)

    def _login(self, group: Group, member: str, shown: str) -> Entity:
        topic = self._topics.state(MemberSubject(group.name, member))
        return self._entity(
            "switch",
            topic,
            f"login_{member}",
            shown,
            (group.name, "login", member),
            state_topic=topic,
            value_template="{{ value_json.login }}",
            command_topic=self._topics.member_set(group.name, member),
            json_attributes_topic=topic,
            icon="mdi:account",
        )

    def _count(self, group: Group, key: str, name: str, icon: str, state_class: str = "measurement") -> Entity:
        template = f"{{{{ value_json.{key} }}}}"
        return self._of_state("sensor", group, key, name, icon=icon, state_class=state_class, value_template=template)

    def _of_state(self, platform: str, group: Group, key: str, name: str, **config: Any) -> Entity:
        topic = self._topics.state(GroupSubject(group.name))
        unique = f"{topic}/{key}"
        return self._entity(platform, unique, key, name, (group.name, key), state_topic=topic, **config)

    def _pickup(self, group: Group) -> Entity:
        topic = self._topics.request("pickup")
        return self._entity(
            "button",
            f"{self._topics.prefix}/group/{group.name}/pickup",
            "pickup",
            "Pick up",
            (group.name, "pickup"),
            command_topic=topic,
            payload_press=json.dumps({"group": group.name}),
            icon="mdi:phone-forward",
        )

    def _night(self, group: Group) -> Entity:
        """Return the switch that is on while the group takes no calls, by its hours or by hand."""
        topic = self._topics.state(NightSubject(group.name))
        return self._entity(
            "switch",
            topic,
            "night",
            "Night",
            (group.name, "night"),
            state_topic=topic,
            value_template="{{ 'OFF' if value_json.open else 'ON' }}",
            command_topic=self._topics.night_set(group.name),
            json_attributes_topic=topic,
            icon="mdi:weather-night",
        )

    # -- the site ---------------------------------------------------------------------------------------------

    def of_site(self, directory: Directory) -> Iterator[Entity]:
        for trunk in self._site.trunks:
            yield self._trunk(trunk)
        for line in directory.lines:
            yield self._line(line)
        yield self._call()
        presence = self._topics.bridge_state
        yield Entity(
            "binary_sensor",
            "link",
            {
                **self._common(presence, "Broker link", ("link",), "binary_sensor"),
                "state_topic": presence,
                "payload_on": "online",
                "payload_off": "offline",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
            },
        )
        yield self._of_info("sensor", "version", "Version", "{{ value_json.version }}", icon="mdi:tag")
        yield self._of_info("sensor", "started", "Started", "{{ value_json.started }}", device_class="timestamp")
        for key in ("groups", "members", "lines", "users"):
            template = f"{{{{ value_json.counts.{key} }}}}"
            yield self._of_info("sensor", f"count_{key}", f"Configured {key}", template, icon="mdi:counter")

    def _trunk(self, trunk: str) -> Entity:
        here = f"value_json.trunks['{trunk}']"
        return self._of_info(
            "binary_sensor",
            f"trunk_{trunk}",
            f"Trunk {trunk}",
            f"{{{{ 'ON' if {here}.state in {_FINE} else 'OFF' }}}}",
            device_class="connectivity",
            json_attributes_topic=self._topics.bridge_info,
            json_attributes_template=f"{{{{ {here} | tojson }}}}",
        )

    def _line(self, line: str) -> Entity:
        topic = self._topics.state(LineSubject(line))
        return self._entity(
            "sensor",
            topic,
            f"line_{line}",
            f"Line {line}",
            ("line", line),
            state_topic=topic,
            value_template="{{ none if value_json.state == 'unknown' else value_json.state }}",
            json_attributes_topic=topic,
            device_class="enum",
            options=_LINE_STATES,
            icon="mdi:deskphone",
        )

    def _call(self) -> Entity:
        """Return the entity that tells who is calling; the owner alone may read its topic."""
        told = f"value_json.type == 'group_call' and value_json.event_type in {EVENT_TYPES}"
        topic = self._topics.bridge_event
        return self._entity(
            "event",
            topic,
            "call",
            "Call",
            ("call",),
            state_topic=topic,
            value_template=f"{{% if {told} %}}{{{{ value_json | tojson }}}}{{% endif %}}",
            event_types=EVENT_TYPES,
            icon="mdi:phone-incoming",
        )

    def _of_info(self, platform: str, key: str, name: str, template: str, **config: Any) -> Entity:
        topic = self._topics.bridge_info
        return self._entity(
            platform,
            f"{topic}/{key}",
            key,
            name,
            (key,),
            state_topic=topic,
            value_template=template,
            entity_category="diagnostic",
            **config,
        )

    # -- any --------------------------------------------------------------------------------------------------

    def _entity(self, platform: str, unique: str, key: str, name: str, words: tuple[str, ...], **config: Any) -> Entity:
        common = self._common(unique, name, words, platform)
        return Entity(platform, key, {**common, "availability_topic": self._topics.bridge_state, "qos": 1, **config})

    def _common(self, unique: str, name: str, words: tuple[str, ...], platform: str) -> dict[str, Any]:
        wanted = entity_id(platform, self._site.name, *words)
        return {
            "unique_id": unique,
            "name": name,
            "default_entity_id": wanted,
            "object_id": wanted.partition(".")[2],
        }
