"""The composition root: the list of the agent's parts, in the order in which they start.

No logic is done here. A part that opens something is entered on a stack, so that whatever was opened is closed, in
reverse, however the agent ends; a part that runs for as long as the agent does is a task, and one that ends by
itself ends the agent, with its reason.
"""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge import __version__
from bridge.calls.exchange import Exchange
from bridge.calls.model import TrunkSettings
from bridge.calls.phones.services import Wish
from bridge.clock import Clock
from bridge.commands.model import OWNER
from bridge.commands.views import CLOCK, Info, Link
from bridge.config.domain import directory_of, exchange_of, modems_of, monitors_of, tls_of
from bridge.config.fields import Listen
from bridge.config.settings import Settings
from bridge.config.sound import files_in
from bridge.control.server import ControlServer
from bridge.control.socketfile import ControlError
from bridge.desk.model import DeskError
from bridge.directory.logins import Origin
from bridge.events import Event, HandlingChanged, LoginChanged, MemberReady, Notice, OpeningChanged, iso
from bridge.journaling import Journaling
from bridge.keeping import KINDS, Keeping
from bridge.log import NOTICE, Log
from bridge.lookups import Lookups
from bridge.media.preparing import Preparing
from bridge.media.relay import Ports, shared_host
from bridge.media.sounds import Sounds
from bridge.modems import Modems
from bridge.monitoring import keep_monitored
from bridge.mqtt.model import MqttError
from bridge.options import Options
from bridge.port.local import LocalPort
from bridge.reloading import Reloading, broker_of
from bridge.resolving import keep_resolved
from bridge.sip.endpoint import Endpoint, EndpointError
from bridge.sip.endpoint.tls import Tls
from bridge.store.errors import StoreError
from bridge.store.journal import FILE as JOURNAL
from bridge.store.journal import JournalStore
from bridge.store.kept import KeptStore
from bridge.store.logins import LoginStore
from bridge.systemd import notify, watchdog_seconds
from bridge.tending import Tended
from bridge.upkeep.backup import BackupAnswers
from bridge.upkeep.diagnosis import Diagnosis
from bridge.upkeep.inuse import in_use, told_in_use
from bridge.upkeep.metering import Metering, Page
from bridge.upkeep.trace import TraceAnswers
from bridge.upkeep.verbosity import Verbosity
from bridge.upkeep.watchdog import Watchdog

if TYPE_CHECKING:
    from bridge.mqtt.door import MqttDoor
    from bridge.opening import OpenDesks
    from hardware.model import Board

GOODBYE = 1.0  # seconds that the last messages (un-REGISTER, CANCEL, BYE) have to be answered


def run_agent(settings: Settings, options: Options) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0, or 1 where it cannot start."""
    try:
        asyncio.run(Agent(settings, options).serve())
    except (ControlError, DeskError, EndpointError, MqttError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Agent:
    """All parts. `board`: buttons and lamps that are already there, for whoever drives them by program."""

    def __init__(self, settings: Settings, options: Options, board: Board | None = None) -> None:
        assert settings.sip is not None, "a satellite has no agent of its own"
        self.settings = settings
        self.options = options
        self.board = board
        self.started = time.time()
        self.log = Log()
        directory = directory_of(settings)
        self.store = LoginStore(options.state / "logins.db", time.time)
        self.keeping = Keeping(KeptStore(options.state / "kept.db", time.time), self._dump, self._cannot_keep)
        self.clock = Clock(self._on_clock)
        self.port = LocalPort(
            directory=directory,
            store=self.store,
            wall=time.time,
            monotonic=time.monotonic,
            info=self._info,
            synchronised=lambda: self.clock.synchronised,
        )
        self.sounds = Sounds(settings.site.language, options.state / "sounds")
        self.preparing = Preparing(self.sounds, self._cannot_play)
        self.ports = Ports(
            *settings.sip.rtp_ports,
            shared_host(each.host for each in settings.sip.listen),
            self.sounds,
            lambda event: self._touch(lambda now: self.exchange.voiced(event, now)),
        )
        self.exchange = Exchange(
            directory,
            self.port.logins,
            exchange_of(settings),
            locate=lambda flow: self.endpoint.locate(flow),
            token=lambda: secrets.token_hex(8),
            wall=time.time,
            rng=random.SystemRandom(),
            media=self.ports,
            is_open=lambda group: self.port.opening(group.name).open,
            handlings=self.port.handlings,
        )
        self.port.telephony = self.exchange
        self.journaling = Journaling(
            JournalStore(options.state / JOURNAL, time.time),
            wall=time.time,
            synchronised=lambda: self.clock.synchronised,
            days=lambda: self.settings.site.journal_days,
            opened=self.port.recall,
            tell=self.port.publish,
        )
        self.port.lookups = Lookups(
            self.journaling, lambda: self.port.directory, lambda: self.port.telephony, time.time
        )
        self.port.carry = lambda order, answer: self._touch(lambda now: self.exchange.command(order, answer, now))
        self.tls = Tls()
        self.endpoint = Endpoint(
            self.exchange,
            settings.sip.listen,
            settings.sip.advertise,
            self._tell,
            known=self.exchange.knows,
            tape=self.exchange.tape,
            tls=self.tls,
            certified=self.exchange.upstream.name_at,
        )
        self.control = ControlServer(options.control, self.port, time.time)
        self.resolving = Tended[TrunkSettings](
            lambda trunk, server: keep_resolved(trunk, server, self._resolved, self._unresolved)
        )
        self.monitoring = Tended[tuple[str, int]](
            lambda trunk, place: keep_monitored(trunk, place, self._monitor_heard, self._monitor_lost),
            ended=self._monitor_closed,
        )
        self.reloading = Reloading(
            options.config, lambda: self.settings, self._go_by, self.port.publish, partial(self.log.write, NOTICE)
        )
        self.metering = Metering(self._numbers)
        self.diagnosis = Diagnosis(options.config, options.state, self._known)
        self.modems = Modems(
            lambda line, what: self._touch(lambda now: self.exchange.line_heard(line, what, now)),
            lambda text: self.port.publish(Notice(time.time(), "modem", text)),
        )
        self.mqtt: MqttDoor | None = None
        self.desks: OpenDesks | None = None
        self._stop = asyncio.Event()
        self._bug: BaseException | None = None
        self._tasks: list[asyncio.Task[Any]] = []  # the command path first
        self._granting: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Start every part, say that it is ready, run until told to stop, and end every part."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reloading.ask)
        loop.set_exception_handler(self._on_bug)
        async with AsyncExitStack() as open_parts:
            await self._open(open_parts)
            show_desks = self._open_desks(open_parts)
            self.options.ready([Listen(*address) for address in self.endpoint.addresses])
            show_desks()
            gc.collect()
            gc.freeze()  # what is there from the start stays: later collections need not look at it
            notify("READY=1")
            await self._until_stopped()
            notify("STOPPING=1")
            await self._say_goodbye()

    async def _open(self, parts: AsyncExitStack) -> None:
        self.options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port.follow(self.log)
        parts.push_async_callback(self.store.close)
        await self.port.start()
        self.clock.start()
        parts.callback(self.clock.close)
        if not self.clock.synchronised:
            self.port.publish(Notice(time.time(), "clock", f"the clock is not right yet: {CLOCK}"))
        parts.push_async_callback(self.keeping.close)
        for notice in await self.keeping.open():
            self.port.publish(notice)
        parts.push_async_callback(self.journaling.close)
        self.port.follow(self.journaling)
        kept = {kind: await self.keeping.load(kind) for kind in KINDS}
        self._touch(lambda now: self.exchange.load(kept, now))
        self.journaling.start()
        parts.push_async_callback(self._end_tasks)
        self._run(self.port.run())
        parts.callback(self.port.close)
        self.control.offer(TraceAnswers(self.exchange, self.endpoint.locate).verbs)
        self.control.offer(Verbosity(self.log, self.exchange.tape, time.monotonic).verbs)
        self.control.offer(self.diagnosis.verbs)
        copies = {"logins.db": self.store.copy, JOURNAL: self.journaling.copy}
        self.control.offer(BackupAnswers(self.options.state, copies).verbs)
        await self.control.start()
        parts.push_async_callback(self.control.close)
        self.tls.configure(*tls_of(self.settings))
        await self.preparing.begin(files_in(self.settings))
        await self.endpoint.start()
        parts.push_async_callback(self.endpoint.close)
        self.port.follow(self._on_login)
        parts.push_async_callback(self._close_mqtt)
        if self.settings.mqtt is not None:
            await self._open_mqtt(self._new_mqtt(self.settings))
        parts.push_async_callback(self.metering.close)
        parts.callback(self.modems.close)
        self.modems.configure(modems_of(self.settings))
        for problem in await self.metering.configure(self.settings.metrics):
            raise EndpointError(problem)
        self._touch(self.exchange.start)
        self._run(self.control.run())
        self._run(self._endpoint_failed())
        self.resolving.configure(self.exchange.unresolved_names())
        self.monitoring.configure(monitors_of(self.settings))
        self._run(self.resolving.run())
        self._run(self.monitoring.run())
        self._run(self.reloading.run())
        self._run(self.preparing.run())
        self._run(self._watchdog().run())

    def _open_desks(self, parts: AsyncExitStack) -> Callable[[], None]:
        """Open buttons and lamps; return what draws them where they are simulated, once all else is said."""
        parts.callback(self._close_desks)
        if not self.settings.desks:
            return lambda: None
        self._begin_desks()
        assert self.desks is not None
        problems = self.desks.configure(self.settings)
        if problems:
            raise DeskError(problems)
        return self.desks.show

    def _begin_desks(self) -> None:
        from bridge.desk.answers import DeskAnswers
        from bridge.opening import OpenDesks  # what desks need is imported only where there are some

        self.desks = OpenDesks(self.options.simulate_hardware, self.port, self.exchange, self.board, self.log)
        self.control.offer(DeskAnswers(self.desks.desks).verbs)

    def _close_desks(self) -> None:
        if self.desks is not None:
            self.desks.close()

    def _new_mqtt(self, settings: Settings) -> MqttDoor:
        """Return a door to the broker. Raises MqttError."""
        from bridge.opening import mqtt_door  # paho is imported only where there is a broker

        return mqtt_door(settings, self.port)

    async def _open_mqtt(self, door: MqttDoor) -> None:
        self.mqtt = door
        await door.start()

    async def _close_mqtt(self) -> None:
        if self.mqtt is not None:
            door, self.mqtt = self.mqtt, None
            await door.close()

    # -- another configuration --------------------------------------------------------------------------------------

    async def _go_by(self, settings: Settings) -> list[str]:
        """Let every part go by other settings; return what of them cannot be done.

        Raises EndpointError, MqttError and StoreError before anything has changed.
        """
        before = self.settings
        other_broker = broker_of(settings) != broker_of(before)
        self.tls.configure(*tls_of(settings))
        door = self._new_mqtt(settings) if other_broker and settings.mqtt is not None else None
        await self.port.reload(directory_of(settings), partial(self._go_by_at_once, settings))
        self.resolving.configure(self.exchange.unresolved_names())
        self.monitoring.configure(monitors_of(settings))
        if self.desks is None and settings.desks:
            self._begin_desks()
        problems = self.desks.configure(settings) if self.desks is not None else []
        if other_broker:
            await self._close_mqtt()
            if door is not None:
                await self._open_mqtt(door)
        self.modems.configure(modems_of(settings))
        problems += await self.metering.configure(settings.metrics)
        self.preparing.ask(files_in(settings))
        return problems

    def _go_by_at_once(self, settings: Settings) -> None:
        """Let all that others ask go by other settings, in one moment."""
        assert settings.sip is not None
        self.settings = settings
        self.ports.configure(*settings.sip.rtp_ports)
        self.sounds.configure(settings.site.language)
        directory, made = directory_of(settings), exchange_of(settings)
        self._touch(lambda now: self.exchange.configure(directory, made, now))

    # -- between the parts ----------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Publish what the exchange has said; after each step of the endpoint."""
        for event in self.exchange.take_events():
            self.port.publish(event)
        if self.exchange.kept.touched:
            self.keeping.soon(self.exchange.kept.take())
        for wish in self.exchange.services.take_wishes():
            granting = asyncio.get_running_loop().create_task(self._grant(wish))
            self._granting.add(granting)
            granting.add_done_callback(self._granted)

    async def _grant(self, wish: Wish) -> None:
        """Submit what somebody has asked for by phone, and tell the exchange what came of it."""
        reply = await self.port.submit(wish.command, wish.actor, Origin.PHONE)
        self._touch(lambda now: self.exchange.replied(wish, reply, now))

    def _granted(self, granting: asyncio.Task[None]) -> None:
        self._granting.discard(granting)
        if not granting.cancelled():
            granting.result()

    def _dump(self, kind: str) -> list[dict[str, Any]]:
        return self.exchange.dump(kind, asyncio.get_running_loop().time())

    def _cannot_play(self, why: str) -> None:
        self.port.publish(Notice(time.time(), "sounds", why))

    def _cannot_keep(self, why: str) -> None:
        self.port.publish(Notice(time.time(), "store", why))

    def _on_clock(self) -> None:
        if self.clock.synchronised:
            self.port.publish(Notice(time.time(), "clock", "the clock was set, and is right"))
        self.port.clock_changed()

    def _on_login(self, event: Event) -> None:
        if isinstance(event, LoginChanged | MemberReady):
            self._touch(lambda now: self.exchange.login_changed(event.group, event.member, now))
        elif isinstance(event, HandlingChanged):
            self._touch(lambda now: self.exchange.line_handled(event.line, now))
        elif isinstance(event, OpeningChanged):
            self._touch(lambda now: self.exchange.opening_changed(event.group, now))

    def _touch(self, do: Callable[[float], None]) -> None:
        """Do something to the exchange that the network did not ask for, and send what comes of it."""
        do(asyncio.get_running_loop().time())
        if self.endpoint.addresses:  # else it is still to be started
            self.endpoint.pump()

    def _resolved(self, trunk: str, hosts: Any) -> None:
        self._touch(lambda now: self.exchange.trunk_resolved(trunk, hosts, now))

    def _unresolved(self, trunk: str, reason: str) -> None:
        self._touch(lambda now: self.exchange.trunk_unresolved(trunk, reason, now))

    def _monitor_heard(self, trunk: str, text: str) -> None:
        self._touch(lambda now: self.exchange.monitor_heard(trunk, text, now))

    def _monitor_lost(self, trunk: str, reason: str) -> None:
        self._touch(lambda now: self.exchange.monitor_lost(trunk, reason, now))

    def _monitor_closed(self, trunk: str) -> None:
        self._touch(lambda now: self.exchange.monitor_closed(trunk, now))

    def _info(self) -> Info:
        links: tuple[Link, ...] = () if self.mqtt is None else (self.mqtt.link,)
        links += () if self.desks is None else self.desks.links
        links += self.modems.links
        return Info(__version__, self.settings.site.name, self.started, links)

    def _known(self) -> dict[str, Any]:
        """Return what the parts know of their own health."""
        born = self.mqtt.born if self.mqtt is not None else None
        return {
            "watchdog": watchdog_seconds(),
            "simulated": self.options.simulate_hardware,
            "rtp_pairs_in_use": self.ports.in_use,
            **told_in_use(self.exchange, self.ports, asyncio.get_running_loop().time()),
            "home_assistant_born": iso(born),
        }

    # -- running and ending ---------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._stop.set()

    def _on_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the agent for an error that no part took: it is ours, and what it left behind cannot be trusted."""
        loop.default_exception_handler(context)
        self._bug = context.get("exception") or RuntimeError(str(context.get("message")))
        self._stop.set()

    async def _until_stopped(self) -> None:
        """Wait for a signal, or for a part that failed, whose error is raised."""
        await self._stop.wait()
        if self._bug is not None:
            raise self._bug
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _end_tasks(self) -> None:
        """Let the commands that are on their way be done, then end what runs for ever."""
        command_path, *others = self._tasks
        await asyncio.wait([command_path], timeout=GOODBYE)
        ending = [*self._tasks, *self._granting]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _endpoint_failed(self) -> None:
        await self.endpoint.failed

    async def _say_goodbye(self) -> None:
        self._touch(self.exchange.stop)
        loop = asyncio.get_running_loop()
        end = loop.time() + GOODBYE
        while loop.time() < end and not self.exchange.quiet:
            await asyncio.sleep(0.02)

    def _numbers(self) -> Page:
        """Return what Prometheus is told."""
        relayed = self.ports.count
        counts = {
            "sip_messages_total": ("SIP messages that came and went.", self.exchange.tape.last),
            "rtp_relayed_total": ("RTP and RTCP packets that were relayed.", relayed.relayed),
            "rtp_dropped_total": ("RTP and RTCP packets of strangers that were dropped.", relayed.dropped),
            "rtp_ports_free": ("Pairs of RTP ports that are free.", self.ports.free),
            **in_use(self.exchange, self.ports),
        }
        return Page(self.port.ask("status", {}, OWNER).data, counts, self.started)

    def _watchdog(self) -> Watchdog:
        return Watchdog(
            {"the store": self.store.alive, "the SIP socket": self.endpoint.alive},
            lambda: notify("WATCHDOG=1"),
            lambda text: self.port.publish(Notice(time.time(), "watchdog", text)),
            watchdog_seconds(),
        )
