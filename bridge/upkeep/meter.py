"""The endpoint that Prometheus asks: HTTP, one page, GET and HEAD alone, on loopback unless it is told otherwise.

Whoever can reach it may also mean harm. What that costs is bounded: connections, the time that each has, and the share
of the core that pages take. Who connects and says nothing makes room for who comes after, so that the numbers can
be had meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable

from bridge.upkeep.metrics import CONTENT_TYPE

PATH = "/metrics"
CONNECTIONS_AT_MOST = 16
PATIENCE = 10.0  # seconds that whoever asks has for a request, and for reading its answer
SHARE = 0.1  # of the core that making pages may take
_LONGEST = 8192
_PAGE = resource.getpagesize()


class MeterError(Exception):
    """The endpoint cannot be opened; says where and why."""


class Meter:
    """Serves `page` at `host` and `port` (0: of the kernel's choice). `spent`: seconds of the core used so far."""

    def __init__(
        self, host: str, port: int, page: Callable[[], str], spent: Callable[[], float] = time.thread_time
    ) -> None:
        self._host = host
        self._wanted = port
        self._page = page
        self._spent = spent
        self._server: asyncio.Server | None = None
        self._asking: dict[asyncio.Task[None], asyncio.WriteTransport] = {}  # in the order in which they came
        self._silent: set[asyncio.WriteTransport] = set()  # those of them whose request is still to come
        self._next_page = 0.0  # when the loop's clock allows another one

    async def start(self) -> None:
        """Listen. Raises MeterError."""
        try:
            self._server = await asyncio.start_server(self._accept, self._host, self._wanted, limit=_LONGEST)
        except OSError as error:
            raise MeterError(
                f"metrics cannot listen on {self._host}:{self._wanted}: {error.strerror or error}"
            ) from None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def open(self) -> int:
        """How many connections are being answered."""
        return len(self._asking)

    @property
    def silent(self) -> int:
        """How many of them have not asked yet."""
        return len(self._silent)

    async def close(self) -> None:
        """End, with all connections."""
        if self._server is not None:
            self._server.close()
            tasks = tuple(self._asking)
            for task in tasks:
                self._drop(task)
            await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._asking) >= CONNECTIONS_AT_MOST:
            silent = next((task for task, transport in self._asking.items() if transport in self._silent), None)
            if silent is None:
                writer.transport.abort()
                return
            self._drop(silent)
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._asking[task] = writer.transport
        self._silent.add(writer.transport)
        task.add_done_callback(self._forget)

    def _drop(self, task: asyncio.Task[None]) -> None:
        """End a connection now. A task that has not begun yet closes nothing by itself."""
        self._asking[task].abort()
        self._forget(task)
        task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        if (transport := self._asking.pop(task, None)) is not None:
            self._silent.discard(transport)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                self._silent.discard(writer.transport)
                await self._until_a_page_is_due()
                writer.write(self._answered(head))
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks so gets nothing
        finally:
            writer.transport.abort()

    async def _until_a_page_is_due(self) -> None:
        """Wait until pages have taken no more than their share; who asks now and then does not wait."""
        loop = asyncio.get_running_loop()
        while (wait := self._next_page - loop.time()) > 0:
            await asyncio.sleep(wait)

    def _made(self) -> str:
        before = self._spent()
        page = self._page()
        self._next_page = asyncio.get_running_loop().time() + (self._spent() - before) / SHARE
        return page

    def _answered(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", "this is no request of HTTP/1.1\n")
        method, path = words[0], words[1].partition(b"?")[0].decode("ascii", "replace")
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "right are GET and HEAD\n", "Allow: GET, HEAD\r\n")
        if path != PATH:
            return _response("404 Not Found", f"the numbers are at {PATH}\n")
        whole = _response("200 OK", self._made(), kind=CONTENT_TYPE)
        return whole if method == b"GET" else whole[: whole.index(b"\r\n\r\n") + 4]


def _response(status: str, body: str, more: str = "", kind: str = "text/plain; charset=utf-8") -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + content


def own_counts() -> dict[str, tuple[str, float]]:
    """Return what the process itself has used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * _PAGE
    return {
        "cpu_seconds_total": ("CPU time, seconds.", used.ru_utime + used.ru_stime),
        "resident_memory_bytes": ("Memory in use, bytes.", resident),
        "open_files": ("Files and sockets that are open.", len(os.listdir("/proc/self/fd"))),
    }
