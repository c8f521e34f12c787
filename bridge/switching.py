"""The exchange among the agent's parts: its sockets, its relay, what listens for its trunks, and its ties to the port.

The exchange is sans-IO. It gets its time here, from the loop; what it says goes to the port, what it wants kept to
`keep`, and what somebody asks for by phone is submitted to the port as any door's commands are.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from bridge.calls.exchange import Exchange
from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.trunks import Place
from bridge.calls.phones.services import Wish
from bridge.commands.views import Link
from bridge.directory.logins import Origin
from bridge.events import Event, HandlingChanged, LoginChanged, MemberReady, Notice, OpeningChanged
from bridge.media.relay import Ports, shared_host
from bridge.media.sounds import Sounds
from bridge.modems import Modems
from bridge.monitoring import keep_monitored
from bridge.port.local import LocalPort
from bridge.resolving import keep_resolved
from bridge.running import GOODBYE, Running
from bridge.sip.endpoint import Endpoint
from bridge.sip.endpoint.tls import Tls, read_contexts
from bridge.tending import Tended
from bridge.tokens import tokens
from bridge.values import Values


class Switching:
    """All that carries calls. `keep` is told the kinds of values that are to be written for a restart."""

    def __init__(
        self, values: Values, port: LocalPort, sounds: Sounds, running: Running, keep: Callable[[set[str]], None]
    ) -> None:
        sip = values.sip
        assert sip is not None, "a satellite carries no calls"
        self._port = port
        self._running = running
        self._keep = keep
        self._sounds = sounds
        self.ports = Ports(
            *sip.rtp_ports,
            shared_host(each.host for each in sip.listen),
            sounds,
            lambda event: self.touch(lambda now: self.exchange.voiced(event, now)),
        )
        self.exchange = Exchange(
            port.directory,
            port.logins,
            values.exchange,
            locate=lambda flow: self.endpoint.locate(flow),
            source=lambda flow: self.endpoint.source(flow),
            token=tokens(),
            wall=time.time,
            rng=random.SystemRandom(),
            media=self.ports,
            is_open=lambda group: port.opening(group.name).open,
            handlings=port.handlings,
        )
        self._tls = Tls()
        self.endpoint = Endpoint(
            self.exchange,
            sip.listen,
            sip.advertise,
            self._tell,
            known=self.exchange.knows,
            tape=self.exchange.tape,
            tls=self._tls,
            certified=self.exchange.upstream.name_at,
            moved=self.exchange.network_changed,
        )
        self._modems = Modems(
            lambda line, what: self.touch(lambda now: self.exchange.line_heard(line, what, now)),
            lambda text: port.publish(Notice(time.time(), "modem", text)),
        )
        self._resolving = Tended[TrunkSettings](
            lambda trunk, server: keep_resolved(trunk, server, self._resolved, self._unresolved)
        )
        self._monitoring = Tended[tuple[str, int]](
            lambda trunk, place: keep_monitored(trunk, place, self._monitor_heard, self._monitor_lost),
            ended=self._monitor_closed,
        )
        port.telephony = self.exchange
        port.carry = lambda order, answer: self.touch(lambda now: self.exchange.command(order, answer, now))

    @property
    def links(self) -> tuple[Link, ...]:
        """The modems, as connections of the agent."""
        return self._modems.links

    # -- beginning and ending -------------------------------------------------------------------------------------

    def load(self, kept: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Take up what was kept before the restart, by kind."""
        self.touch(lambda now: self.exchange.load(kept, now))

    def dump(self, kind: str) -> list[dict[str, Any]]:
        """Return what is to be kept of a kind."""
        return self.exchange.dump(kind, asyncio.get_running_loop().time())

    async def listen(self, parts: AsyncExitStack) -> None:
        """Open the sockets; calls may come from now on."""
        await self.endpoint.start()
        parts.push_async_callback(self.endpoint.close)
        self._port.follow(self._on_event)

    def start(self, values: Values, parts: AsyncExitStack) -> None:
        """Register at the trunks, and look after what the values name: servers, call monitors, modems."""
        parts.callback(self._modems.close)
        self.touch(self.exchange.start)
        self.look_after(values)
        self._running.begin(self._endpoint_failed())
        self._running.begin(self._resolving.run())
        self._running.begin(self._monitoring.run())

    async def say_goodbye(self) -> None:
        """End what cannot go on without us; its last messages (un-REGISTER, CANCEL, BYE) have a moment."""
        self.touch(self.exchange.stop)
        loop = asyncio.get_running_loop()
        end = loop.time() + GOODBYE
        while loop.time() < end and not self.exchange.quiet:
            await asyncio.sleep(0.02)

    async def _endpoint_failed(self) -> None:
        await self.endpoint.failed

    # -- another configuration --------------------------------------------------------------------------------------

    def read_tls(self, values: Values) -> Callable[[], None]:
        """Read certificates and keys; return what has them used. Raises EndpointError, and nothing has changed then."""
        assert values.sip is not None
        contexts = read_contexts(*values.sip.tls)
        return lambda: self._tls.use(contexts)

    def configure(self, values: Values) -> None:
        """Let all calls go by other values from now on."""
        assert values.sip is not None
        self.ports.configure(*values.sip.rtp_ports)
        self._sounds.configure(values.language)
        self.touch(lambda now: self.exchange.configure(values.directory, values.exchange, now))

    def look_after(self, values: Values) -> None:
        """Find the trunks' servers, listen to their call monitors, and have the modems open that are configured."""
        self._resolving.configure(self.exchange.unresolved_names())
        self._monitoring.configure(values.monitors)
        self._modems.configure(values.modems)

    def clock_set(self) -> None:
        """Have written anew what is kept with times of day: after a restart they would be those of another clock."""
        if self.endpoint.addresses:  # else what was kept is still to be taken up
            self._keep({"bindings", "lamps"})

    # -- ties -----------------------------------------------------------------------------------------------------

    def touch(self, do: Callable[[float], None]) -> None:
        """Do something to the exchange that the network did not ask for, and send what comes of it."""
        do(asyncio.get_running_loop().time())
        if self.endpoint.addresses:  # else it is still to be started
            self.endpoint.pump()

    def _tell(self) -> None:
        """Publish what the exchange has said; after each step of the endpoint."""
        for event in self.exchange.take_events():
            self._port.publish(event)
        if self.exchange.kept.touched:
            self._keep(self.exchange.kept.take())
        for wish in self.exchange.services.take_wishes():
            self._running.begin(self._grant(wish))

    async def _grant(self, wish: Wish) -> None:
        """Submit what somebody has asked for by phone, and tell the exchange what came of it."""
        reply = await self._port.submit(wish.command, wish.actor, Origin.PHONE)
        self.touch(lambda now: self.exchange.replied(wish, reply, now))

    def _on_event(self, event: Event) -> None:
        """Let the exchange know what has been confirmed."""
        if isinstance(event, LoginChanged | MemberReady):
            self.touch(lambda now: self.exchange.login_changed(event.group, event.member, now))
        elif isinstance(event, HandlingChanged):
            self.touch(lambda now: self.exchange.line_handled(event.line, now))
        elif isinstance(event, OpeningChanged):
            self.touch(lambda now: self.exchange.opening_changed(event.group, now))

    def _resolved(self, trunk: str, places: Sequence[Place]) -> None:
        self.touch(lambda now: self.exchange.trunk_resolved(trunk, places, now))

    def _unresolved(self, trunk: str, reason: str) -> None:
        self.touch(lambda now: self.exchange.trunk_unresolved(trunk, reason, now))

    def _monitor_heard(self, trunk: str, text: str) -> None:
        self.touch(lambda now: self.exchange.monitor_heard(trunk, text, now))

    def _monitor_lost(self, trunk: str, reason: str) -> None:
        self.touch(lambda now: self.exchange.monitor_lost(trunk, reason, now))

    def _monitor_closed(self, trunk: str) -> None:
        self.touch(lambda now: self.exchange.monitor_closed(trunk, now))
