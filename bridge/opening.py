"""Opening the parts that an agent has only where they are configured: desks with their board, the MQTT door.

What they need is imported here and not before, so that an agent without them does not pay for them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.calls.status import Telephony
from bridge.commands.views import Link
from bridge.config.doors import ButtonSettings as ConfiguredButton
from bridge.config.doors import DeskSettings as Configured
from bridge.config.doors import LampSettings as ConfiguredLamp
from bridge.config.keys import buttons_of
from bridge.config.settings import Settings
from bridge.config.words import parse_press, parse_shows
from bridge.desk.actions import Action
from bridge.desk.desk import Desks
from bridge.desk.model import ButtonSettings, DeskError, DeskSettings, LampSettings
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
    from hardware.simulated import SimulatedBoard
    from hardware.terminal import Terminal

    OwnPort = LocalPort | RemotePort


class OpenDesks:
    """Desks that are open, or none yet: `configure` opens and closes them, `close` ends them.

    `board`: one that is driven by program. Else the header of a Pi, opened with the first pin, or a simulated one, tied
    to the terminal where there is one; simulated desks have simulated panels.
    """

    def __init__(self, simulated: bool, port: OwnPort, telephony: Telephony, board: Board | None, log: Log) -> None:
        self._simulated = _in_memory() if simulated and board is None else None
        self._board: Board | None = board or self._simulated
        self._log = log
        self._terminal: Terminal | None = None
        self._configured: tuple[DeskSettings, ...] = ()
        self.desks = Desks((), port, telephony, self._board, self._panel, port.publish, time.time)
        self.desks.start()

    @property
    def links(self) -> tuple[Link, ...]:
        """The panels, as connections of the agent."""
        panels = self.desks.panels.items()
        return tuple(Link(f"panel of desk {n}", p.state, p.since, p.reason, p.state != GONE) for n, p in panels)

    def configure(self, settings: Settings) -> list[str]:
        """Go by a configuration; return every part that cannot be opened, as `key.path: why`."""
        configured = desks_of(settings)
        if configured != self._configured:
            for caution in cautions(configured):
                self._log.write(NOTICE, caution)
        self._configured = configured
        if self._board is None and any(map(_has_pins, configured)):
            self._board = _real()
        return self.desks.configure(configured, self._board)

    def show(self) -> None:
        """Draw simulated desks in the terminal, where there is one."""
        if self._simulated is None or self._terminal is not None:
            return
        from hardware.terminal import Terminal

        self._terminal = Terminal(self._simulated, sys.stdin, sys.stdout)
        if self._terminal.open():
            self._log.stream = self._terminal.above(self._log.stream)

    def close(self) -> None:
        """Darken the lamps, free the pins, and give the terminal back."""
        self.desks.close()
        if self._terminal is not None:
            self._terminal.close()

    def _panel(self, desk: DeskSettings) -> Panel:
        if self._simulated is None:
            return _serial(desk)
        keys = {button.key: f"{desk.name}: {button}" for button in desk.buttons if button.key is not None}
        lamps = {lamp.lamp: f"{desk.name}: {lamp.shows}" for lamp in desk.lamps if lamp.lamp is not None}
        return self._simulated.panel(keys, lamps)


def open_desks(
    settings: Settings, simulated: bool, port: OwnPort, telephony: Telephony, board: Board | None, log: Log
) -> OpenDesks:
    """Open every desk's buttons and lamps. Raises DeskError with every part that cannot be."""
    desks = OpenDesks(simulated, port, telephony, board, log)
    problems = desks.configure(settings)
    if problems:
        desks.close()
        raise DeskError(problems)
    return desks


def _in_memory() -> SimulatedBoard:
    from hardware.simulated import SimulatedBoard

    return SimulatedBoard()


def _has_pins(desk: DeskSettings) -> bool:
    return any(b.gpio is not None for b in desk.buttons) or any(lamp.gpio is not None for lamp in desk.lamps)


def _real() -> Board:
    from hardware.gpio import GpioBoard

    return GpioBoard()


def _serial(desk: DeskSettings) -> Panel:
    from hardware.serial_panel import SerialPanel

    assert desk.panel is not None
    return SerialPanel(desk.panel)


def desks_of(settings: Settings) -> tuple[DeskSettings, ...]:
    """Return the desks as their door knows them."""
    return tuple(_desk(name, desk, buttons_of(desk, settings)) for name, desk in settings.desks.items())


def _desk(name: str, desk: Configured, buttons: Sequence[ConfiguredButton]) -> DeskSettings:
    return DeskSettings(
        name=name,
        member=desk.member,
        panel=desk.panel,
        buttons=tuple(
            ButtonSettings(gpio=b.gpio, key=b.key, press=_action(b.press), hold=_action(b.hold)) for b in buttons
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
