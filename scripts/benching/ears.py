"""RTP sockets of phones, and when packets came to each: by the kernel's clock, so that a busy receiver adds nothing."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from typing import NamedTuple

_STAMPED = 35  # SO_TIMESTAMPNS, which Python has no name for
_TIMESPEC = struct.Struct("qq")


class Arrival(NamedTuple):
    """When a packet came, UTC, and of which stream."""

    at: float
    ssrc: int


class Ears:
    """The sockets, by number, and what came to each."""

    def __init__(self, count: int) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        self.arrivals: list[list[Arrival]] = [[] for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for number, each in enumerate(self.sockets):
            each.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
            self._selector.register(each, selectors.EVENT_READ, number)

    def close(self) -> None:
        """Close all of them."""
        self._selector.close()
        for each in self.sockets:
            each.close()

    def port(self, number: int) -> int:
        """Return where one of them listens."""
        port: int = self.sockets[number].getsockname()[1]
        return port

    def hear(self, seconds: float) -> None:
        """Take what comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                data, ancillary, _, _ = key.fileobj.recvmsg(2048, 64)  # type: ignore[union-attr]
                at, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
                self.arrivals[key.data].append(Arrival(at + nanoseconds / 1e9, int.from_bytes(data[8:12], "big")))
