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
from bridge.config.doors import DeskSettings
from bridge.config.settings import Settings
from bridge.config.words import Target, Words, parse_press, parse_shows
from bridge.control.server import ControlServer
from bridge.control.socketfile import ControlError
from bridge.desk.answers import DeskAnswers
from bridge.desk.model import DeskError
from bridge.directory.model import Directory, Group, Line, Member, User
from bridge.events import Event, LineChanged, TrunkChanged
from bridge.log import NOTICE, Log
from bridge.mqtt.model import MqttError
from bridge.opening import OpenDesks, mqtt_settings, open_desks
from bridge.options import Options
from bridge.port.remote import RemotePort
from bridge.reloading import Reloading, broker_of
from bridge.running import Running
from bridge.systemd import notify, watchdog_seconds
from bridge.upkeep.diagnosis import Diagnosis

if TYPE_CHECKING:
    from hardware.model import Board


def run_satellite(settings: Settings, options: Options) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0, or 1 where it cannot start."""
    try:
        asyncio.run(Satellite(settings, options).serve())
    except (ControlError, DeskError, MqttError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Satellite:
    """All parts. `board`: buttons and lamps that are already there, for whoever drives them by program."""

    def __init__(self, settings: Settings, options: Options, board: Board | None = None) -> None:
        self.settings = settings
        self.options = options
        self.board = board
        self.started = time.time()
        self.log = Log()
        self.port = RemotePort(
            mqtt_settings(settings),
            settings.satellite_name,
            expected(settings),
            time.time,
            info=self._info,
            learned=self._on_learned,
        )
        self.control = ControlServer(options.control, self.port, time.time)
        self.control.offer(Diagnosis(options.config, options.state, self._known).verbs)
        self.desks: OpenDesks | None = None
        self.reloading = Reloading(
            options.config, lambda: self.settings, self._go_by, self._tell, partial(self.log.write, NOTICE)
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
        self.desks = open_desks(self.settings, simulated, self.port, self.port.mirror, self.board, self.log)
        self.control.offer(DeskAnswers(self.desks.desks).verbs)
        self.desks.show()

    async def _go_by(self, settings: Settings) -> list[str]:
        """Let the desks go by other settings; return what of them cannot be done. The broker takes a restart."""
        before, self.settings = self.settings, settings
        problems = self.desks.configure(settings) if self.desks is not None else []
        if (broker_of(settings), settings.satellite_name) != (broker_of(before), before.satellite_name):
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
        return Info(__version__, self.settings.site.name, self.started, links)

    def _known(self) -> dict[str, Any]:
        return {"watchdog": watchdog_seconds(), "simulated": self.options.simulate_hardware}


async def _feed_watchdog() -> None:
    every = watchdog_seconds()
    while every is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every)


def expected(settings: Settings) -> Directory:
    """Return who there is, as far as a satellite's own configuration names them."""
    desks = settings.desks.values()
    members = tuple(Member(name, name) for name in dict.fromkeys(desk.member for desk in desks))
    named = [(words.kind, words.target) for desk in desks for words in _words(desk) if words.target]
    lines = [target for kind, target in named if kind is Target.LINE]
    groups = [target for kind, target in named if kind is Target.GROUP]
    return Directory(
        {name: Line(name, name) for name in lines},
        {member.name: User(member.name, member.name, member.line) for member in members},
        {name: Group(name, name, None, members) for name in groups},
    )


def _words(desk: DeskSettings) -> list[Words]:
    pressed = [text for button in desk.buttons for text in (button.press, button.hold) if text]
    return [*map(parse_press, pressed), *(parse_shows(lamp.shows) for lamp in desk.lamps)]
