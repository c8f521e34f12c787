"""The endpoint: listeners, connections, names and routes, put together under one engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bridge.sip.endpoint.datagrams import Datagrams
from bridge.sip.endpoint.interfaces import Interfaces
from bridge.sip.endpoint.listening import EndpointError, Listening, open_listener
from bridge.sip.endpoint.pump import Pump
from bridge.sip.endpoint.resolver import Lookup, Resolver, is_address, system_lookup
from bridge.sip.endpoint.routes import Routes
from bridge.sip.endpoint.streams import StreamLimits, Streams
from bridge.sip.endpoint.tls import Tls
from bridge.sip.flow import Engine, Flow, LocalAddress, Send
from bridge.sip.tape import Tape

_WAITING_FOR_A_NAME = 64  # messages
_NAMED_KEPT = 256


class Endpoint:
    """All of the network under one SIP engine.

    `listen`: transport (udp, tcp, tls), host (an IP address of ours, 0.0.0.0 or ::) and port (0: from the kernel).
    `advertise`: the host that peers are told; None: the address of ours that the route to the peer uses. `on_step` is
    called after each step of the engine. `tls` has what is needed to listen on TLS and to connect by it; `certified`
    tells whose certificate has to be at an address. `known` tells whether a host is that of a peer; strangers have
    fewer connections. What is sent is noted on `tape`. When addresses of this machine have changed, `moved` is called
    with the time, and whether a link is up or down that was not.
    """

    def __init__(
        self,
        engine: Engine,
        listen: Sequence[tuple[str, str, int]],
        advertise: str | None,
        on_step: Callable[[], None],
        *,
        tls: Tls | None = None,
        certified: Callable[[Flow], str] = lambda flow: flow.host,
        limits: StreamLimits | None = None,
        lookup: Lookup = system_lookup,
        known: Callable[[str], bool] = lambda host: True,
        tape: Tape | None = None,
        moved: Callable[[float, bool], None] | None = None,
    ) -> None:
        self._engine = engine
        self._listen = [(transport, host.strip("[]"), port) for transport, host, port in listen]
        self._advertise = advertise.strip("[]") if advertise else None
        self._on_step = on_step
        self._tls = tls or Tls()
        self._certified = certified
        self._limits = limits or StreamLimits()
        self._lookup = lookup
        self._known = known
        self._tape = tape
        self._moved = moved
        self._interfaces = Interfaces(self._network_changed)
        self._listeners: list[Listening] = []
        self._datagrams: dict[int, Datagrams] = {}
        self._waiting: dict[str, list[Send]] = {}  # by the name that is being looked up
        self._named: dict[Flow, dict[Flow, None]] = {}  # an address to the flows with a name that led there

    async def start(self) -> None:
        """Open every listener, or none. Raises `EndpointError`."""
        loop = asyncio.get_running_loop()
        try:
            for transport, host, port in self._listen:
                if transport == "tls" and self._tls.server is None:
                    raise EndpointError(f"{Flow(transport, host, port)} needs a certificate")
                self._listeners.append(open_listener(transport, host, port, self._listen))
        except EndpointError:
            for listening in self._listeners:
                listening.socket.close()
            self._listeners.clear()
            raise
        self._pump = Pump(self._engine, loop, self._send, self._on_step, self._failed_flows, self._tape)
        self._resolver = Resolver(loop, self._lookup)
        self._routes = Routes(self._listeners, self._advertise, loop.time, self._resolver.last)
        self._streams = Streams(self._pump, loop, self._tls, self._limits, self._known)
        for index, listening in enumerate(self._listeners):
            if listening.transport == "udp":
                self._datagrams[index] = Datagrams(listening, index, self._pump, loop)
            else:
                self._streams.listen(listening)
        if self._moved is not None:
            self._interfaces.open()
        self._pump.settle()

    async def close(self) -> None:
        """Send what waits, close everything. The engine is not called any more."""
        self._interfaces.close()
        self._pump.step()
        self._pump.stop()
        self._listeners.clear()
        self._resolver.close()
        while self._datagrams:
            self._datagrams.popitem()[1].close()
        await self._streams.close()

    @property
    def failed(self) -> asyncio.Future[None]:
        """Gets the exception when the engine or `on_step` raises, which is a bug of ours; to be awaited."""
        return self._pump.failed

    async def alive(self) -> None:
        """Return once every UDP socket has read a datagram of ours. Raises OSError, RuntimeError where it is over."""
        if self._pump.over:
            raise RuntimeError("the endpoint is closed")
        for datagrams in self._datagrams.values():
            await datagrams.alive()

    @property
    def addresses(self) -> tuple[tuple[str, str, int], ...]:
        """What is listened on: transport, host, port."""
        return tuple((one.transport, one.host, one.port) for one in self._listeners)

    def locate(self, flow: Flow) -> LocalAddress:
        """Return the address of ours for Via and Contact towards a peer; before the start, what is known of it."""
        if not self._listeners:
            return LocalAddress(self._advertise or "127.0.0.1", self._listen[0][2] if self._listen else 5060)
        return self._routes.to(flow).local

    def source(self, flow: Flow) -> str:
        """Return the address of ours that messages to a peer leave from, "" where that is what peers are told."""
        return self._routes.to(flow).source if self._listeners and self._advertise is not None else ""

    def pump(self) -> None:
        """Send what is in the engine's outbox and re-arm the timer, after something else than the network moved it."""
        self._pump.step()

    def _network_changed(self, links: bool) -> None:
        moved = self._moved
        self._routes.forget()
        if moved is not None:
            self._pump.tell(lambda now: moved(now, links))

    # -- out --------------------------------------------------------------------------------------------------------

    def _send(self, send: Send) -> None:
        flow = send.flow
        if is_address(flow.host):
            self._deliver(flow, send.data, self._certified(flow) if flow.transport == "tls" else flow.host)
            return
        waiting = self._waiting.get(flow.host)
        if waiting is not None:
            if len(waiting) < _WAITING_FOR_A_NAME:
                waiting.append(send)
            else:
                self._pump.undelivered(flow, f"too much is waiting for the address of {flow.host}")
            return
        addresses = self._resolver.fresh(flow.host)
        if addresses:
            self._deliver_named(send, addresses)
        else:
            self._waiting[flow.host] = [send]
            self._resolver.ask(flow.host, lambda found, reason: self._resolved(flow.host, found, reason))

    def _resolved(self, name: str, addresses: tuple[str, ...], reason: str) -> None:
        for send in self._waiting.pop(name, ()):
            if addresses:
                self._deliver_named(send, addresses)
            else:
                self._pump.undelivered(send.flow, reason)

    def _deliver_named(self, send: Send, addresses: Sequence[str]) -> None:
        """Send to the first address of a family that a listener of ours speaks."""
        name = send.flow.host
        flow = self._routes.first_open(send.flow, addresses)
        if flow is None:
            reason = f"{name} is at {', '.join(addresses)[:100]}, which cannot be reached from here"
            self._pump.undelivered(send.flow, reason)
            return
        self._named.setdefault(flow._replace(listener=-1), {})[send.flow] = None
        if len(self._named) > _NAMED_KEPT:
            del self._named[next(iter(self._named))]
        self._deliver(flow, send.data, name)

    def _deliver(self, flow: Flow, data: bytes, name: str) -> None:
        route = self._routes.to(flow)
        if flow.transport == "udp":
            datagrams = self._datagrams.get(route.listener)
            reason = "no udp listener reaches it" if datagrams is None else datagrams.send(data, flow.host, flow.port)
            if reason is not None:
                self._pump.undelivered(flow, reason)
        else:
            listening = self._listeners[route.listener] if route.listener >= 0 else None
            local_host = listening.host if listening is not None and not listening.wildcard else None
            self._streams.send(flow, data, name, local_host)

    def _failed_flows(self, flow: Flow) -> list[Flow]:
        """Return every form in which the engine may know a flow: with its listener, without, by name."""
        plain = flow._replace(listener=-1)
        return list(dict.fromkeys((flow, plain, *self._named.get(plain, ()))))
