"""A plain UDP socket on loopback: a phone that says nothing, or a sender of whatever bytes a test wants."""

from __future__ import annotations

import select
import socket
import time

from tests.support.process import PATIENCE


class Datagrams:
    """A bound socket and all that came to it. Use as a context manager."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._came: list[bytes] = []
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Datagrams:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes, port: int) -> None:
        """Send one datagram to a port of this machine."""
        self._socket.sendto(data, ("127.0.0.1", port))

    def received(self) -> list[bytes]:
        """Return everything that has come so far."""
        while select.select([self._socket], [], [], 0)[0]:
            self._came.append(self._socket.recv(65536))
        return list(self._came)

    def wait(self, begin: bytes, seconds: float = PATIENCE) -> bytes:
        """Return the first datagram from now on that begins like this."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                data = self._socket.recv(65536)
                self._came.append(data)
                if data.startswith(begin):
                    return data
        raise AssertionError(f"no datagram beginning with {begin!r} within {seconds:g} s; came: {self._came}")
