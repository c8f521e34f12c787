"""The composition root: the list of the agent's parts, in the order in which they start.

No logic is done here. A part that opens something is entered on a stack, so that whatever was opened is closed, in
reverse, however the agent ends; a part that runs for as long as the agent does is a task (`running`), and one that ends
by an error ends the agent, with its reason.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge import __version__
from bridge.clock import Clock
from bridge.commands.model import OWNER
from bridge.commands.views import CLOCK, Info
from bridge.config.addresses import Listen
from bridge.control.server import ControlServer
from bridge.control.socketfile import ControlError
from bridge.desk.errors import DeskError
from bridge.doors import Broker, Desks
from bridge.events import Notice, iso
from bridge.journaling import Journaling
from bridge.keeping import KINDS, Keeping
from bridge.log import NOTICE, Log
from bridge.lookups import Lookups
from bridge.media.preparing import Preparing
from bridge.media.sounds import Sounds
from bridge.mqtt.errors import MqttError
from bridge.options import Options
from bridge.port.local import LocalPort
from bridge.reloading import Reloading
from bridge.running import Running
from bridge.sip.endpoint import EndpointError
from bridge.store.errors import StoreError
from bridge.store.journal import FILE as JOURNAL
from bridge.store.journal import JournalStore
from bridge.store.kept import KeptStore
from bridge.store.logins import LoginStore
from bridge.switching import Switching
from bridge.systemd import notify, watchdog_seconds
from bridge.upkeep.backup import BackupAnswers
from bridge.upkeep.diagnosis import Diagnosis
from bridge.upkeep.inuse import in_use, told_in_use
from bridge.upkeep.metering import Metering, Page
from bridge.upkeep.trace import TraceAnswers
from bridge.upkeep.verbosity import Verbosity
from bridge.upkeep.watchdog import Watchdog
from bridge.values import Values

if TYPE_CHECKING:
    from hardware.model import Board


def run_agent(values: Values, options: Options) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0, or 1 where it cannot start."""
    try:
        asyncio.run(Agent(values, options).serve())
    except (ControlError, DeskError, EndpointError, MqttError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Agent:
    """All parts. `board`: buttons and lamps that are already there, for whoever drives them by program."""

    def __init__(self, values: Values, options: Options, board: Board | None = None, log: Log | None = None) -> None:
        self.values = values
        self.options = options
        self.started = time.time()
        self.log = log or Log()
        self.running = Running()
        self.store = LoginStore(options.state / "logins.db", time.time)
        self.keeping = Keeping(
            KeptStore(options.state / "kept.db", time.time),
            lambda kind: self.switching.dump(kind),
            partial(self._notice, "store"),
        )
        self.clock = Clock(self._on_clock)
        self.port = LocalPort(
            directory=values.directory,
            store=self.store,
            wall=time.time,
            monotonic=time.monotonic,
            info=self._info,
            synchronised=lambda: self.clock.synchronised,
        )
        self.sounds = Sounds(values.language, options.state / "sounds")
        self.preparing = Preparing(self.sounds, partial(self._notice, "sounds"))
        self.switching = Switching(values, self.port, self.sounds, self.running, self.keeping.soon)
        self.journaling = Journaling(
            JournalStore(options.state / JOURNAL, time.time),
            wall=time.time,
            synchronised=lambda: self.clock.synchronised,
            days=lambda: self.values.journal_days,
            opened=self.port.recall,
            tell=self.port.publish,
        )
        self.port.lookups = Lookups(
            self.journaling, lambda: self.port.directory, lambda: self.port.telephony, time.time
        )
        self.control = ControlServer(options.control, self.port, time.time)
        self.broker = Broker(self.port)
        self.desks = Desks(options, self.port, self.switching.exchange, self.control, board, self.log)
        self.reloading = Reloading(
            options.config, lambda: self.values, self._go_by, self.port.publish, partial(self.log.write, NOTICE)
        )
        self.metering = Metering(self._numbers)
        self.watchdog = Watchdog(
            {"the store": self.store.alive, "the SIP socket": self.switching.endpoint.alive},
            lambda: notify("WATCHDOG=1"),
            partial(self._notice, "watchdog"),
            watchdog_seconds(),
        )

    async def serve(self) -> None:
        """Start every part, say that it is ready, run until told to stop, and end every part."""
        self.running.mind_signals(self.reloading.ask)
        async with AsyncExitStack() as open_parts:
            await self._open(open_parts)
            self._open_desks(open_parts)
            self.options.ready([Listen(*address) for address in self.switching.endpoint.addresses])
            self.desks.show()
            gc.collect()
            gc.freeze()  # what is there from the start stays: later collections need not look at it
            notify("READY=1")
            await self.running.until_stopped()
            notify("STOPPING=1")
            await self.switching.say_goodbye()

    async def _open(self, parts: AsyncExitStack) -> None:
        await self._open_stores(parts)
        await self._open_control(parts)
        self.switching.read_tls(self.values)()
        await self.preparing.begin(self.values.sounds)
        await self.switching.listen(parts)
        parts.push_async_callback(self.broker.close)
        await self.broker.open(self.values.mqtt)
        parts.push_async_callback(self.metering.close)
        for problem in await self.metering.configure(self.values.metrics):
            raise EndpointError(problem)
        self.switching.start(self.values, parts)
        for part in (self.control, self.reloading, self.preparing, self.watchdog):
            self.running.begin(part.run())

    async def _open_stores(self, parts: AsyncExitStack) -> None:
        """Open the command path, and take up what was kept."""
        self.options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port.follow(self.log)
        parts.push_async_callback(self.store.close)
        await self.port.start()
        self.clock.start()
        parts.callback(self.clock.close)
        if not self.clock.synchronised:
            self._notice("clock", f"the clock is not right yet: {CLOCK}")
        parts.push_async_callback(self.keeping.close)
        for notice in await self.keeping.open():
            self.port.publish(notice)
        parts.push_async_callback(self.journaling.close)
        self.port.follow(self.journaling)
        self.switching.load({kind: await self.keeping.load(kind) for kind in KINDS})
        self.journaling.start()
        commands = self.running.begin(self.port.run())
        parts.push_async_callback(self.running.end, first=commands)
        parts.callback(self.port.close)

    async def _open_control(self, parts: AsyncExitStack) -> None:
        """Open the command line's door, and offer there what the parts can tell."""
        exchange = self.switching.exchange
        self.control.offer(TraceAnswers(exchange, self.switching.endpoint.locate).verbs)
        self.control.offer(Verbosity(self.log, exchange.tape, time.monotonic).verbs)
        self.control.offer(Diagnosis(self.options.config, self.options.state, self._known).verbs)
        copies = {"logins.db": self.store.copy, JOURNAL: self.journaling.copy}
        self.control.offer(BackupAnswers(self.options.state, copies).verbs)
        await self.control.start()
        parts.push_async_callback(self.control.close)

    def _open_desks(self, parts: AsyncExitStack) -> None:
        parts.callback(self.desks.close)
        problems = self.desks.configure(self.values.desks)
        if problems:
            raise DeskError(problems)

    # -- another configuration --------------------------------------------------------------------------------------

    async def _go_by(self, values: Values) -> list[str]:
        """Let every part go by other values; return what of them cannot be done.

        Raises EndpointError, MqttError and StoreError before anything has changed.
        """
        use_tls = self.switching.read_tls(values)
        go_over = self.broker.change(self.values.mqtt, values.mqtt)

        def at_once() -> None:
            self.values = values
            use_tls()
            self.switching.configure(values)

        await self.port.reload(values.directory, at_once)
        self.switching.look_after(values)
        problems = self.desks.configure(values.desks)
        await go_over()
        problems += await self.metering.configure(values.metrics)
        self.preparing.ask(values.sounds)
        return problems

    # -- what the parts tell ----------------------------------------------------------------------------------------

    def _notice(self, topic: str, text: str) -> None:
        self.port.publish(Notice(time.time(), topic, text))

    def _on_clock(self) -> None:
        if self.clock.synchronised:
            self._notice("clock", "the clock was set, and is right")
        self.port.clock_changed()
        self.switching.clock_set()

    def _info(self) -> Info:
        links = (*self.broker.links, *self.desks.links, *self.switching.links)
        return Info(__version__, self.values.site, self.started, links)

    def _known(self) -> dict[str, Any]:
        """Return what the parts know of their own health."""
        exchange, ports = self.switching.exchange, self.switching.ports
        return {
            "watchdog": watchdog_seconds(),
            "simulated": self.options.simulate_hardware,
            "rtp_pairs_in_use": ports.in_use,
            **told_in_use(exchange, ports, asyncio.get_running_loop().time()),
            "home_assistant_born": iso(self.broker.born),
        }

    def _numbers(self) -> Page:
        """Return what Prometheus is told."""
        exchange, ports = self.switching.exchange, self.switching.ports
        counts = {
            "sip_messages_total": ("SIP messages that came and went.", exchange.tape.last),
            "rtp_relayed_total": ("RTP and RTCP packets that were relayed.", ports.count.relayed),
            "rtp_dropped_total": ("RTP and RTCP packets of strangers that were dropped.", ports.count.dropped),
            "rtp_ports_free": ("Pairs of RTP ports that are free.", ports.free),
            **in_use(exchange, ports),
        }
        return Page(self.port.ask("status", {}, OWNER).data, counts, self.started)
