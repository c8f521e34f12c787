"""Doors that the agent has only where they are configured: the broker's, and desks. Each follows a reload.

What they need is imported with the first of them, so that an agent without them does not pay for it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bridge.calls.status import Telephony
from bridge.commands.views import Link
from bridge.control.server import ControlServer
from bridge.log import Log
from bridge.options import Options
from bridge.port.local import LocalPort

if TYPE_CHECKING:
    from bridge.desk.model import DeskSettings
    from bridge.mqtt.door import MqttDoor
    from bridge.mqtt.model import MqttSettings
    from bridge.opening import OpenDesks
    from hardware.model import Board


class Broker:
    """The door to the broker, while there is one."""

    def __init__(self, port: LocalPort) -> None:
        self._port = port
        self._door: MqttDoor | None = None

    @property
    def links(self) -> tuple[Link, ...]:
        """The broker, as a connection of the agent."""
        return () if self._door is None else (self._door.link,)

    @property
    def born(self) -> float | None:
        """When Home Assistant has said that it is there, UTC seconds."""
        return None if self._door is None else self._door.born

    async def open(self, settings: MqttSettings | None) -> None:
        """Begin to speak to the broker that is configured, if one is. Raises MqttError."""
        if settings is not None:
            await self._start(self._made(settings))

    async def close(self) -> None:
        """Say goodbye; a second time does nothing."""
        if self._door is not None:
            door, self._door = self._door, None
            await door.close()

    def change(self, before: MqttSettings | None, settings: MqttSettings | None) -> Callable[[], Awaitable[None]]:
        """Return what goes over to another broker, or to none; certificates are read again in any case.

        Raises MqttError before anything has changed.
        """
        if settings == before:
            renew = self._door.renewed() if self._door is not None else _nothing

            async def stay() -> None:
                renew()

            return stay
        door = self._made(settings) if settings is not None else None

        async def go_over() -> None:
            await self.close()
            if door is not None:
                await self._start(door)

        return go_over

    def _made(self, settings: MqttSettings) -> MqttDoor:
        from bridge.mqtt.door import MqttDoor

        return MqttDoor(settings, self._port, time.time, self._port.publish)

    async def _start(self, door: MqttDoor) -> None:
        self._door = door
        await door.start()


def _nothing() -> None:
    """Have no certificates to renew."""


class Desks:
    """Buttons and lamps, from the first configured desk on. `board`: one that is driven by program."""

    def __init__(
        self,
        options: Options,
        port: LocalPort,
        telephony: Telephony,
        control: ControlServer,
        board: Board | None,
        log: Log,
    ) -> None:
        self._simulated = options.simulate_hardware
        self._port = port
        self._telephony = telephony
        self._control = control
        self._board = board
        self._log = log
        self._desks: OpenDesks | None = None

    @property
    def links(self) -> tuple[Link, ...]:
        """The panels, as connections of the agent."""
        return () if self._desks is None else self._desks.links

    def configure(self, configured: tuple[DeskSettings, ...]) -> list[str]:
        """Go by a configuration; return every part that cannot be opened, as `key.path: why`."""
        if self._desks is None and configured:
            from bridge.desk.answers import DeskAnswers
            from bridge.opening import OpenDesks

            self._desks = OpenDesks(self._simulated, self._port, self._telephony, self._board, self._log)
            self._control.offer(DeskAnswers(self._desks.desks).verbs)
        return self._desks.configure(configured) if self._desks is not None else []

    def show(self) -> None:
        """Draw simulated desks in the terminal, where there is one."""
        if self._desks is not None:
            self._desks.show()

    def close(self) -> None:
        """Darken the lamps and free the pins."""
        if self._desks is not None:
            self._desks.close()
