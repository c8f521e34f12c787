"""The settings of the doors: codes from phones, MQTT, desks with buttons and lamps."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bridge.config.fields import BrokerField, Code, FileField, Part, Text, Topic
from bridge.config.secret import SecretField

Gpio = Annotated[int, Field(strict=True, ge=0, le=27)]
Place = Annotated[int, Field(strict=True, ge=1, le=64)]


class CodeSettings(Part):
    """`[codes]`: dialled from attached phones, then the group's number or name."""

    login: Code | None = None
    logout: Code | None = None
    toggle: Code | None = None
    pickup: Code | None = None
    menu: Code | None = None


class MqttSettings(Part):
    """`[mqtt]`. `prefix` None: `cti/` and the site's name, see `Settings.mqtt_prefix`."""

    broker: BrokerField
    username: Text | None = None
    password: SecretField | None = None
    ca: FileField | None = None
    cert: FileField | None = None
    key: FileField | None = None
    prefix: Topic | None = None
    discovery: Literal["device", "entity", "off"] = "device"
    discovery_prefix: Topic = "homeassistant"


class ButtonSettings(Part):
    """A button: at a GPIO, or a key of the desk's panel. `press` and `hold` say what it does."""

    gpio: Gpio | None = None
    key: Place | None = None
    press: Text | None = None
    hold: Text | None = None


class LampSettings(Part):
    """A lamp: at a GPIO, or of the desk's panel. `shows` says what."""

    gpio: Gpio | None = None
    lamp: Place | None = None
    shows: Text


class DeskSettings(Part):
    """`[desks.NAME]`: what stands beside a phone, and in whose name it acts."""

    member: str
    panel: Text | None = None
    buttons: tuple[ButtonSettings, ...] = ()
    lamps: tuple[LampSettings, ...] = ()
