"""The composition root of a satellite: desks on another Pi, that act and see through the bridge's topics.

It has a broker, desks and a control socket of its own, and nothing else. Its desks name groups and lines of the
bridge; until the bridge has told who there is, those names are all that is known, and every lamp shows that the bridge
is not there. When it tells of something else than before, the desks are opened anew.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge import __version__
from bridge.commands.views import Info, Link
from bridge.control.server import ControlServer
from bridge.control.socketfile import ControlError
from bridge.desk.answers import DeskAnswers
from bridge.desk.errors import DeskError
from bridge.events import Event, LineChanged, TrunkChanged
from bridge.log import NOTICE, Log
from bridge.mqtt.errors import MqttError
from bridge.opening import OpenDesks, open_desks
from bridge.options import Options
from bridge.port.remote import RemotePort
from bridge.reloading import Reloading
from bridge.running import Running
from bridge.systemd import notify, watchdog_seconds
from bridge.upkeep.diagnosis import Diagnosis
from bridge.values import Values

if TYPE_CHECKING:
    from hardware.model import Board


def run_satellite(values: Values, options: Options) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0, or 1 where it cannot start."""
    try:
        asyncio.run(Satellite(values, options).serve())
    except (ControlError, DeskError, MqttError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Satellite:
    """All parts. `board`: buttons and lamps that are already there, for whoever drives them by program."""

    def __init__(self, values: Values, options: Options, board: Board | None = None) -> None:
        assert values.mqtt is not None and values.satellite is not None, "a satellite lives by its broker"
        self.values = values
        self.options = options
        self.board = board
        self.started = time.time()
        self.log = Log()
        self.port = RemotePort(
            values.mqtt,
            values.satellite,
            values.directory,
            time.time,
            info=self._info,
            learned=self._on_learned,
        )
        self.control = ControlServer(options.control, self.port, time.time)
        self.control.offer(Diagnosis(options.config, options.state, self._known).verbs)
        self.desks: OpenDesks | None = None
        self.reloading = Reloading(
            options.config, lambda: self.values, self._go_by, self._tell, partial(self.log.write, NOTICE)
        )
        self.running = Running()

    async def serve(self) -> None:
        """Start every part, say that it is ready, run until told to stop, and end every part."""
        self.running.mind_signals(self.reloading.ask)
        async with AsyncExitStack() as parts:
            await self.open(parts)
            self.options.ready([])
            notify("READY=1")
            await self.running.until_stopped()
            notify("STOPPING=1")

    async def open(self, parts: AsyncExitStack) -> None:
        """Open every part; `parts` closes them."""
        self.options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port.follow(self._tell)
        parts.push_async_callback(self.running.end)
        await self.control.start()
        parts.push_async_callback(self.control.close)
        parts.callback(self._close_desks)
        self._open_desks()
        self.port.start()
        parts.push_async_callback(self.port.close)
        for work in (self.control.run(), self.reloading.run(), _feed_watchdog()):
            self.running.begin(work)

    # -- desks ----------------------------------------------------------------------------------------------------

    def _on_learned(self) -> None:
        """Open the desks anew: what their words mean may have changed."""
        try:
            self._open_desks()
        except DeskError as error:
            self.running.fail(error)

    def _open_desks(self) -> None:
        self._close_desks()
        simulated = self.options.simulate_hardware
        self.desks = open_desks(self.values.desks, simulated, self.port, self.port.mirror, self.board, self.log)
        self.control.offer(DeskAnswers(self.desks.desks).verbs)
        self.desks.show()

    async def _go_by(self, values: Values) -> list[str]:
        """Let the desks go by other values; return what of them cannot be done. Another broker takes a restart.

        Raises MqttError for certificates that cannot be read, before anything has changed.
        """
        renew = self.port.renewed()
        before, self.values = self.values, values
        renew()
        problems = self.desks.configure(values.desks) if self.desks is not None else []
        if (values.mqtt, values.satellite) != (before.mqtt, before.satellite):
            problems.append("mqtt: restart the satellite for another broker, site or name")
        return problems

    def _close_desks(self) -> None:
        if self.desks is not None:
            self.desks.close()
            self.desks = None

    def _tell(self, event: Event) -> None:
        """Log what is the satellite's own to tell; lines and trunks are the bridge's."""
        if not isinstance(event, LineChanged | TrunkChanged):
            self.log(event)

    def _info(self) -> Info:
        links: tuple[Link, ...] = self.port.links
        links += () if self.desks is None else self.desks.links
        return Info(__version__, self.values.site, self.started, links)

    def _known(self) -> dict[str, Any]:
        return {"watchdog": watchdog_seconds(), "simulated": self.options.simulate_hardware}


async def _feed_watchdog() -> None:
    every = watchdog_seconds()
    while every is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every)
