"""TCP and TLS: connections that phones make to us and that we make, cut into messages, one for each remote address.

A connection that ends, for whatever reason, is told to the engine as a failed flow: what was sent may be lost, and a
phone behind NAT cannot be reached any more. Everything a peer can make us keep is bounded: connections in all and
from one address and from strangers, bytes unsent, time without a message.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

from bridge.sip.endpoint.accepting import Acceptor
from bridge.sip.endpoint.connection import Connection
from bridge.sip.endpoint.listening import Listening
from bridge.sip.endpoint.places import PlaceLimits, Places
from bridge.sip.endpoint.pump import Pump
from bridge.sip.endpoint.tls import Tls
from bridge.sip.flow import Flow

_READ = 16 * 1024  # bytes of one connection taken in one turn of the loop, so that a flood leaves turns to others
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What peers may use. Times in seconds, sizes in bytes."""

    connections: int = 512
    strangers: int = 256
    from_one_address: int = 32
    unsent: int = 256 * 1024
    connect_within: float = 4.0
    handshake_within: float = 10.0
    finish_message_within: float = 30.0
    silent_for: float = 1800.0  # longer than any registration lasts
    sweep_every: float = 5.0


class Arriving:
    """A connection that was accepted and is being set up: by TLS that takes a while, or for ever."""

    def __init__(self, since: float, accepted: socket.socket) -> None:
        self.socket: socket.socket | None = accepted  # until it is begun with
        self.heard_at = self.unfinished_since = since
        self.task: asyncio.Task[None] | None = None
        self.ending = False
        self._connection: Connection | None = None

    @property
    def owes_a_message(self) -> bool:
        """It does."""
        return True

    def become(self, connection: Connection) -> Connection:
        """Note what it leads to."""
        self._connection = connection
        return connection

    def abort(self, reason: str) -> None:
        """End it now."""
        self.ending = True
        if self._connection is not None:
            self._connection.abort(reason)
        if self.task is not None:
            self.task.cancel()


class _Connecting:
    """A connection that is being made, and what is to be sent on it."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.size = 0
        self.task: asyncio.Task[None] | None = None


class Streams:
    """All connections of an endpoint."""

    def __init__(
        self,
        pump: Pump,
        loop: asyncio.AbstractEventLoop,
        tls: Tls,
        limits: StreamLimits,
        known: Callable[[str], bool],
    ) -> None:
        self._pump = pump
        self._loop = loop
        self._tls = tls
        self._limits = limits
        self._acceptors: list[Acceptor] = []
        self._arriving: set[Arriving] = set()
        self._connections: dict[Flow, Connection] = {}
        self._open: set[Connection] = set()
        self._dialled = 0
        places = PlaceLimits(limits.connections, limits.strangers, limits.from_one_address)
        self._places = Places(places, known, lambda: self._dialled + len(self._connecting))
        self._connecting: dict[Flow, _Connecting] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._closing = False
        self._all_closed = asyncio.Event()
        self.buffer = bytearray(_READ)
        """Where every connection reads into, one after the other."""

    def listen(self, listening: Listening) -> None:
        """Accept connections on a socket."""
        self._acceptors.append(Acceptor(listening, self._loop, self._accepted))

    def _accepted(self, accepted: socket.socket, transport: str, host: str, port: int) -> None:
        """Take a connection in, unless there is no place for it."""
        refusal = self._places.refusal(host, self._loop.time())
        if refusal is not None:
            accepted.close()
            log.debug("%s: %s", Flow(transport, host, port), refusal)
            return
        arriving = Arriving(self._loop.time(), accepted)
        self._places.enter(arriving, host)
        self._arriving.add(arriving)
        arriving.task = self._loop.create_task(self._arrive(arriving, transport))
        arriving.task.add_done_callback(lambda task: self._arrived(arriving, task))

    async def _arrive(self, arriving: Arriving, transport: str) -> None:
        accepted, arriving.socket = arriving.socket, None
        assert accepted is not None
        tls = self._tls.server if transport == "tls" else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: arriving.become(Connection(self, transport)),
                accepted,
                ssl=tls,
                ssl_handshake_timeout=self._limits.handshake_within if tls else None,
            )
        except OSError as error:  # also what TLS does not like, or takes too long
            log.debug("a connection was not made: %s", error)

    def _arrived(self, arriving: Arriving, task: asyncio.Task[None]) -> None:
        self._places.leave(arriving)
        self._arriving.discard(arriving)
        if arriving.socket is not None:  # it was ended before it began
            arriving.socket.close()
        self._connected(task)

    def send(self, flow: Flow, data: bytes, name: str, local_host: str | None) -> None:
        """Send to an IP address, on the connection there is, else on a new one (from `local_host`, where given).

        `name` is what the peer's certificate has to be for. What cannot be sent is told to the pump.
        """
        key = Flow(flow.transport, flow.host, flow.port)
        connecting = self._connecting.get(key)
        if connecting is None:
            connection = self._connections.get(key)
            if connection is not None:
                connection.write(data, self._limits.unsent)
                return
            if key.transport == "tls" and self._tls.client is None:
                self._pump.undelivered(key, "TLS is not set up")
                return
            if len(self._places) + self._dialled + len(self._connecting) >= self._limits.connections:
                self._pump.undelivered(key, f"over {self._limits.connections} connections are open")
                return
            connecting = self._connecting[key] = _Connecting()
            connecting.task = self._loop.create_task(self._connect(key, connecting, name, local_host))
            connecting.task.add_done_callback(self._connected)
        if connecting.size + len(data) > self._limits.unsent:
            self._pump.undelivered(key, "too much is waiting for the connection")
            return
        connecting.waiting.append(data)
        connecting.size += len(data)

    async def close(self) -> None:
        """Close every connection, what was sent first; whoever does not take it within a second is cut off."""
        self._closing = True
        self._all_closed.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
        while self._acceptors:
            self._acceptors.pop().close()
        for arriving in tuple(self._arriving):
            arriving.abort("closed here")
        for connecting in self._connecting.values():
            if connecting.task is not None:
                connecting.task.cancel()
        for connection in list(self._open):
            connection.close("closed here")
        if self._open:
            try:
                async with asyncio.timeout(1.0):
                    await self._all_closed.wait()
            except TimeoutError:
                for connection in list(self._open):
                    connection.abort("closed here")
                await asyncio.sleep(0)

    # -- making a connection ----------------------------------------------------------------------------------------

    async def _connect(self, key: Flow, connecting: _Connecting, name: str, local_host: str | None) -> None:
        reason = None
        try:
            async with asyncio.timeout(self._limits.connect_within):
                await self._loop.create_connection(
                    lambda: Connection(self, key.transport, dialled=key),
                    key.host,
                    key.port,
                    ssl=self._tls.client if key.transport == "tls" else None,
                    server_hostname=name if key.transport == "tls" else None,
                    local_addr=(local_host, 0) if local_host else None,
                )
        except TimeoutError:
            reason = f"no connection within {self._limits.connect_within:g} s"
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can be for
            reason = f"no connection: {error}"
        del self._connecting[key]
        connection = self._connections.get(key)
        if connection is None:
            self._pump.undelivered(key, reason or "connection closed at once")
            return
        for data in connecting.waiting:
            connection.write(data, self._limits.unsent)

    def _connected(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._pump.fail(error)

    # -- from the connections ---------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> str | None:
        """Take a connection in; return why it cannot be, else None."""
        self._open.add(connection)
        if connection.accepted:
            self._places.enter(connection, connection.flow.host)
        else:
            self._dialled += 1
        if self._closing:
            return "closed here"
        self._connections[connection.flow] = connection
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._limits.sweep_every, self._sweep)
        return None

    def received(self, connection: Connection, messages: list[bytes]) -> None:
        """Give the engine what came on a connection."""
        for data in messages:
            self._pump.receive(data, connection.flow)
        self._pump.settle()

    def lost(self, connection: Connection, reason: str) -> None:
        """Take note that a connection has ended."""
        self._open.discard(connection)
        flow = connection.flow
        if connection.accepted:
            self._places.leave(connection)
        else:
            self._dialled -= 1
        if self._connections.get(flow) is connection:
            del self._connections[flow]
            if not self._closing:
                self._pump.undelivered(flow, reason)
        if not self._open:
            self._all_closed.set()
        log.debug("%s: %s", flow, reason)

    def _sweep(self) -> None:
        """Close the connections on which nothing comes any more."""
        self._sweeper = None
        now = self._loop.time()
        for connection in list(self._open):
            if now - connection.unfinished_since > self._limits.finish_message_within:
                connection.abort("no whole message came in time")
            elif now - connection.heard_at > self._limits.silent_for:
                connection.close("nothing came for too long")
        if self._open:
            self._sweeper = self._loop.call_later(self._limits.sweep_every, self._sweep)
