"""Opening the parts that an agent has only where they are configured: desks with their board, the MQTT door.

What they need is imported here and not before, so that an agent without them does not pay for them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.status import Telephony
from bridge.commands.views import Link
from bridge.config.doors import DeskSettings as Configured
from bridge.config.doors import LampSettings as ConfiguredLamp
from bridge.config.settings import Settings
from bridge.config.words import parse_press, parse_shows
from bridge.desk.actions import Action
from bridge.desk.desk import Desks
from bridge.desk.model import ButtonSettings, DeskSettings, LampSettings
from bridge.desk.opening import cautions
from bridge.desk.panel import GONE
from bridge.desk.shows import Shows
from bridge.desk.signals import Signal
from bridge.log import NOTICE, Log
from bridge.port.local import LocalPort
from hardware.model import Board, LampWiring
from hardware.panel import Panel

if TYPE_CHECKING:
    from bridge.mqtt.door import MqttDoor
    from bridge.mqtt.model import MqttSettings
    from bridge.port.remote import RemotePort

    OwnPort = LocalPort | RemotePort


class OpenDesks(NamedTuple):
    """Desks that are open: `close` ends them; `show` draws simulated ones, and does nothing for real ones."""

    desks: Desks
    close: Callable[[], None]
    show: Callable[[], None]

    @property
    def links(self) -> tuple[Link, ...]:
        """The panels, as connections of the agent."""
        panels = self.desks.panels.items()
        return tuple(Link(f"panel of desk {n}", p.state, p.since, p.reason, p.state != GONE) for n, p in panels)


def open_desks(
    settings: Settings, simulated: bool, port: OwnPort, telephony: Telephony, board: Board | None, log: Log
) -> OpenDesks:
    """Open every desk's buttons and lamps. Raises DeskError.

    `board`: one that is driven by program. Else the header of a Pi, or a simulated one, tied to the terminal where
    there is one; simulated desks have simulated panels.
    """
    configured = desks_of(settings)
    for caution in cautions(configured):
        log.write(NOTICE, caution)
    if board is None and simulated:
        return _open_in_terminal(configured, port, telephony, log)
    if board is None and any(map(_has_pins, configured)):
        board = _real()
    desks = Desks(configured, port, telephony, board, _serial, port.publish, time.time)
    desks.start()
    return OpenDesks(desks, desks.close, lambda: None)


def _has_pins(desk: DeskSettings) -> bool:
    return any(b.gpio is not None for b in desk.buttons) or any(lamp.gpio is not None for lamp in desk.lamps)


def _real() -> Board:
    from hardware.gpio import GpioBoard

    return GpioBoard()


def _serial(desk: DeskSettings) -> Panel:
    from hardware.serial_panel import SerialPanel

    assert desk.panel is not None
    return SerialPanel(desk.panel)


def _open_in_terminal(configured: tuple[DeskSettings, ...], port: OwnPort, telephony: Telephony, log: Log) -> OpenDesks:
    from hardware.simulated import SimulatedBoard
    from hardware.terminal import Terminal

    board = SimulatedBoard()

    def panel(desk: DeskSettings) -> Panel:
        keys = {button.key: f"{desk.name}: {button}" for button in desk.buttons if button.key is not None}
        lamps = {lamp.lamp: f"{desk.name}: {lamp.shows}" for lamp in desk.lamps if lamp.lamp is not None}
        return board.panel(keys, lamps)

    desks = Desks(configured, port, telephony, board, panel, port.publish, time.time)
    desks.start()
    terminal = Terminal(board, sys.stdin, sys.stdout)

    def show() -> None:
        if terminal.open():
            log.stream = terminal.above(log.stream)

    def close() -> None:
        desks.close()
        terminal.close()

    return OpenDesks(desks, close, show)


def desks_of(settings: Settings) -> tuple[DeskSettings, ...]:
    """Return the desks as their door knows them."""
    return tuple(_desk(name, desk) for name, desk in settings.desks.items())


def _desk(name: str, desk: Configured) -> DeskSettings:
    return DeskSettings(
        name=name,
        member=desk.member,
        panel=desk.panel,
        buttons=tuple(
            ButtonSettings(gpio=b.gpio, key=b.key, press=_action(b.press), hold=_action(b.hold)) for b in desk.buttons
        ),
        lamps=tuple(_lamp(lamp) for lamp in desk.lamps),
    )


def _lamp(lamp: ConfiguredLamp) -> LampSettings:
    words = parse_shows(lamp.shows)
    return LampSettings(
        shows=Shows(words.word, words.target or ""),
        gpio=LampWiring(lamp.pins, lamp.brightness, lamp.active_low) if lamp.pins else None,
        lamp=lamp.lamp,
        colours={_MEANINGS[what]: colour for what, colour in lamp.colours if colour is not None},
    )


_MEANINGS = {
    "on": Signal.STEADY,
    "paused": Signal.BLINK_SLOW,
    "ringing": Signal.BLINK_FAST,
    "asked": Signal.SHORT_FLASH,
    "refused": Signal.THREE_FLASHES,
    "unreachable": Signal.DOUBLE_BLINK,
}
"""What the colours of a lamp are named by, and the signal that shows it."""


def _action(text: str | None) -> Action | None:
    if text is None:
        return None
    words = parse_press(text)
    return Action(words.word, words.target or "", words.for_seconds)


def mqtt_door(settings: Settings, port: LocalPort) -> MqttDoor:
    """Return the door to the configured broker, still to be started. Raises MqttError."""
    from bridge.mqtt.door import MqttDoor

    return MqttDoor(mqtt_settings(settings), port, time.time, port.publish)


def mqtt_settings(settings: Settings) -> MqttSettings:
    """Return the broker, and what is said there, as its clients know it; the password is in it as plain text."""
    from bridge.mqtt.model import MqttSettings

    configured = settings.mqtt
    assert configured is not None
    return MqttSettings(
        host=configured.broker.host,
        port=configured.broker.port,
        tls=configured.broker.tls,
        prefix=settings.mqtt_prefix,
        ca=configured.ca,
        cert=configured.cert,
        key=configured.key,
        username=configured.username,
        password=configured.password.reveal() if configured.password else None,
        site=settings.site.name,
        discovery=configured.discovery,
        discovery_prefix=configured.discovery_prefix,
    )
