"""The settings of the doors: codes from phones, MQTT, desks with buttons and lamps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from bridge.config.fields import BrokerField, Code, Device, FileField, Flag, Host, Name, Number, Part, Port, Text, Topic
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
    night: Code | None = None


class MenuSettings(Part):
    """`[menu]`: the spoken menu for phones behind a trunk; who calls it proves to be a user by PIN."""

    number: Number


class MetricsSettings(Part):
    """`[metrics]`: where Prometheus may ask for numbers; on loopback unless told otherwise."""

    host: Host = "127.0.0.1"
    port: Port = 9469


class MqttSettings(Part):
    """`[mqtt]`. `prefix` None: `cti/` and the site's name, see `Settings.mqtt_prefix`.

    `satellite` is for a satellite alone: its name, see `Settings.satellite_name`.
    """

    broker: BrokerField
    username: Text | None = None
    password: SecretField | None = None
    ca: FileField | None = None
    cert: FileField | None = None
    key: FileField | None = None
    prefix: Topic | None = None
    discovery: Literal["device", "entity", "off"] = "device"
    discovery_prefix: Topic = "homeassistant"
    satellite: Name | None = None


class ButtonSettings(Part):
    """A button: at a GPIO, or a key of the desk's panel. `press` and `hold` say what it does."""

    gpio: Gpio | None = None
    key: Place | None = None
    press: Text | None = None
    hold: Text | None = None


class ColouredPins(Part):
    """The three pins of a lamp that has three colours."""

    red: Gpio
    green: Gpio
    blue: Gpio


def _wired(value: Any) -> str:
    return "(pins)" if isinstance(value, dict | ColouredPins) else "(pin)"


Wired = Annotated[Annotated[Gpio, Tag("(pin)")] | Annotated[ColouredPins, Tag("(pins)")], Discriminator(_wired)]
"""A pin, or three of them; the tags are left out of the paths that people see."""

Colour = Literal["red", "green", "blue", "yellow", "magenta", "cyan", "white"]


class ColourSettings(Part):
    """In which colour a lamp shows what; those that are not given stay as usual."""

    on: Colour | None = None
    paused: Colour | None = None
    ringing: Colour | None = None
    asked: Colour | None = None
    refused: Colour | None = None
    unreachable: Colour | None = None


class LampSettings(Part):
    """A lamp: at a GPIO or three, or of the desk's panel. `shows` says what.

    `brightness` and `active_low` are for lamps at a GPIO, `colours` for those at three.
    """

    gpio: Wired | None = None
    lamp: Place | None = None
    shows: Text
    brightness: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    active_low: Flag = False
    colours: ColourSettings = ColourSettings()

    @property
    def pins(self) -> tuple[int, ...]:
        """The pins that it has: none, one, or red, green and blue."""
        if isinstance(self.gpio, ColouredPins):
            return self.gpio.red, self.gpio.green, self.gpio.blue
        return () if self.gpio is None else (self.gpio,)


class DeskSettings(Part):
    """`[desks.NAME]`: what stands beside a phone, and in whose name it acts."""

    member: str
    panel: Device | None = None
    buttons: tuple[ButtonSettings, ...] = ()
    lamps: tuple[LampSettings, ...] = ()
