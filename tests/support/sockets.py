"""The endpoint on real loopback sockets, under a small engine that notes what it is told; and whom it talks to."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from bridge.sip.endpoint import Endpoint
from bridge.sip.flow import Flow, Send

PATIENCE = 20.0

HELLO = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports what was not delivered")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 loopback here")


class Engine:
    """Notes what it is told; answers with what it got, where it is to `echo`."""

    def __init__(self, echo: bool = True) -> None:
        self.outbox: list[Send] = []
        self.echo = echo
        self.received: list[tuple[bytes, Flow]] = []
        self.failures: list[tuple[Flow, str]] = []
        self.ticks: list[float] = []
        self.due: float | None = None
        self.steps = 0

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Note, and echo."""
        if b"bug" in data:
            raise ZeroDivisionError("a bug of ours")
        self.received.append((data, flow))
        if self.echo:
            self.outbox.append(Send(flow, data))

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note."""
        self.failures.append((flow, reason))

    def tick(self, now: float) -> None:
        """Note; nothing more is due."""
        self.ticks.append(now)
        self.due = None

    def deadline(self) -> float | None:
        """Return what the test has set."""
        return self.due

    def step(self) -> None:
        """Count the steps."""
        self.steps += 1


Body = Callable[[Endpoint, Engine], Awaitable[None]]

BOTH = [("udp", "127.0.0.1", 0), ("tcp", "127.0.0.1", 0)]


def run(body: Body, listen: Any = BOTH, advertise: str | None = None, echo: bool = True, **options: Any) -> None:
    """Run a test's body on an endpoint that is then closed."""

    async def main() -> None:
        engine = Engine(echo)
        endpoint = Endpoint(engine, listen, advertise, engine.step, **options)
        async with asyncio.timeout(PATIENCE * 2):
            await endpoint.start()
            try:
                await body(endpoint, engine)
            finally:
                await endpoint.close()

    asyncio.run(main())


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)


def port_of(endpoint: Endpoint, transport: str) -> int:
    """The port that is listened on."""
    return next(port for kind, _, port in endpoint.addresses if kind == transport)


@asynccontextmanager
async def connection(
    endpoint: Endpoint, limit: int = 65536, host: str | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to the endpoint by TCP, from a host of ours, and close in the end."""
    local = (host, 0) if host else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(endpoint, "tcp"), limit=limit, local_addr=local)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class Phone:
    """A UDP socket of a peer."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    async def receive(self) -> bytes:
        """Wait for the next datagram."""
        return await asyncio.get_running_loop().sock_recv(self.socket, 65536)

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
