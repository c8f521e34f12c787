"""Boxes in the middle of a SIP path, as threads: one that rewrites what passes, and a PBX that says one thing only."""

from __future__ import annotations

import re
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable


class Box(ABC):
    """A thread that takes datagrams at `port` on `host` until it is ended. Use as a context manager."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Box:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    @abstractmethod
    def take(self, data: bytes, source: tuple[str, int]) -> None:
        """Take a datagram."""

    def _run(self) -> None:
        while not self._ends.is_set():
            try:
                self.take(*self._socket.recvfrom(65536))
            except (TimeoutError, ConnectionError):
                continue


class Router(Box):
    """Passes datagrams on to a server, and its answers back to whoever asked last.

    `rewrite` changes what goes to the server: a router with "SIP ALG" does; one that only translates addresses does
    not. `outside` is the address that the server sees.
    """

    def __init__(
        self, server: tuple[str, int], outside: str, rewrite: Callable[[bytes], bytes] = lambda data: data
    ) -> None:
        super().__init__(outside)
        self._server = server
        self._rewrite = rewrite
        self._inside: tuple[str, int] | None = None

    def take(self, data: bytes, source: tuple[str, int]) -> None:
        """Pass it on."""
        if source == self._server:
            if self._inside is not None:
                self._socket.sendto(data, self._inside)
        else:
            self._inside = source
            self._socket.sendto(self._rewrite(data), self._server)


def contact_alg(host: str) -> Callable[[bytes], bytes]:
    """Return what another kind of it does to the Contact."""
    return lambda data: re.sub(
        rb"(?m)^(Contact: <sip:[^@]+@)[^;>]+", rb"\g<1>" + f"{host}:1024".encode(), data, count=1
    )


def alg(host: str) -> Callable[[bytes], bytes]:
    """Return what a router with "SIP ALG" does to the Via of what passes: its own address takes the phone's place."""
    return lambda data: re.sub(rb"(?m)^(Via: SIP/2.0/UDP )[^;]+", rb"\g<1>" + f"{host}:1024".encode(), data, count=1)


class Parrot(Box):
    """Answers every request with one status and the headers that it is given; `status` None: with nothing."""

    def __init__(self, status: str | None, *headers: str) -> None:
        super().__init__()
        self._status = status
        self._headers = headers

    def take(self, data: bytes, source: tuple[str, int]) -> None:
        """Answer."""
        if self._status is None:
            return
        kept = re.findall(rb"(?m)^(?:Via|From|To|Call-ID|CSeq): [^\r]+", data)
        lines = [f"SIP/2.0 {self._status}".encode(), *kept, *(each.encode() for each in self._headers)]
        self._socket.sendto(b"\r\n".join([*lines, b"Content-Length: 0", b"", b""]), source)
