"""The endpoint that Prometheus asks: HTTP, one page, GET and HEAD alone, on loopback unless it is told otherwise."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable

from bridge.upkeep.metrics import CONTENT_TYPE

PATH = "/metrics"
CONNECTIONS_AT_MOST = 16
PATIENCE = 10.0  # seconds that whoever asks has for a request, and for reading its answer
_LONGEST = 8192
_PAGE = resource.getpagesize()


class MeterError(Exception):
    """The endpoint cannot be opened; says where and why."""


class Meter:
    """Serves `page` at `host` and `port` (0: of the kernel's choice)."""

    def __init__(self, host: str, port: int, page: Callable[[], str]) -> None:
        self._host = host
        self._wanted = port
        self._page = page
        self._server: asyncio.Server | None = None
        self._asking: set[asyncio.Task[None]] = set()

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

    async def close(self) -> None:
        """End, with all connections."""
        if self._server is not None:
            self._server.close()
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._asking) >= CONNECTIONS_AT_MOST:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answered(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks so gets nothing
        finally:
            writer.close()

    def _answered(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", "this is no request of HTTP/1.1\n")
        method, path = words[0], words[1].partition(b"?")[0].decode("ascii", "replace")
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "right are GET and HEAD\n", "Allow: GET, HEAD\r\n")
        if path != PATH:
            return _response("404 Not Found", f"the numbers are at {PATH}\n")
        whole = _response("200 OK", self._page(), kind=CONTENT_TYPE)
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
