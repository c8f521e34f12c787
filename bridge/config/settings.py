"""All settings, as one frozen tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bridge.config.calling import BlocklistSettings, OutsideSettings, PhonebookSettings
from bridge.config.doors import CodeSettings, DeskSettings, MenuSettings, MetricsSettings, MqttSettings
from bridge.config.fields import Count, Name, Part
from bridge.config.people import GroupSettings, UserSettings
from bridge.config.telephony import LineSettings, SipSettings, TrunkSettings
from bridge.directory.model import Level


class SiteSettings(Part):
    """`[site]`: the name that MQTT and Home Assistant know this bridge by; how long the journal is kept.

    `level`: what everybody may see and do of everybody; `language`: the voice's.
    """

    name: Name = "home"
    level: Level = Level.PUBLIC
    journal_days: Count = 90
    language: Literal["en", "de"] = "en"


class Settings(Part):
    """The whole configuration. Only `load` makes one: the references in it have been followed there."""

    site: SiteSettings = SiteSettings()
    sip: SipSettings | None = None
    trunks: Mapping[Name, TrunkSettings] = Field({})
    lines: Mapping[Name, LineSettings] = Field({})
    users: Mapping[Name, UserSettings] = Field({})
    groups: Mapping[Name, GroupSettings] = Field({})
    codes: CodeSettings = CodeSettings()
    outside: OutsideSettings = OutsideSettings()
    phonebook: PhonebookSettings = PhonebookSettings()
    blocklist: BlocklistSettings = BlocklistSettings()
    menu: MenuSettings | None = None
    mqtt: MqttSettings | None = None
    metrics: MetricsSettings | None = None
    desks: Mapping[Name, DeskSettings] = Field({})

    @property
    def satellite(self) -> bool:
        """Whether this is no bridge of its own, only desks that act through another one's MQTT."""
        return self.sip is None

    @property
    def satellite_name(self) -> str:
        """What a satellite calls itself at the broker: as it was told, else as its first desk is called."""
        configured = self.mqtt.satellite if self.mqtt else None
        return configured or next(iter(self.desks))

    @property
    def mqtt_prefix(self) -> str:
        """What all topics begin with."""
        configured = self.mqtt.prefix if self.mqtt else None
        return configured or f"cti/{self.site.name}"
