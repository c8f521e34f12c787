"""One of the relay's sockets: packets from one side of a call, sent on to the other or heard by a voice of ours.

A socket takes packets from one source alone: the first that comes from the address which its side has signalled;
whatever comes from elsewhere is dropped, so that nothing is reflected to anybody. A phone whose NAT gives it another
port meanwhile is followed: by a new description, or where nothing comes from the port of before any more (`GIVEN_UP`),
but never to another address.

A packet is read into one buffer that all sockets share, changed there, and sent on: nothing is kept or copied.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from bridge.media.model import Path, Translation

GIVEN_UP = 1.0
"""Seconds without a packet from the port of before, in which they come from another one."""
_READS = 32  # packets taken from one socket in one turn of the loop
_HEADER = 12
_MARKER = 0x80
_MAPPED = "::ffff:"


@dataclass(slots=True)
class Count:
    """Packets so far: sent on, and dropped because a stranger sent them."""

    relayed: int = 0
    dropped: int = 0


class Mouth:
    """One socket: what its side sends goes out through `other`, what the other side sends goes to `target`.

    While it is lent to a voice of ours, nothing passes either way; what that says goes to `_place` alone.
    """

    def __init__(self, sock: socket.socket, buffer: bytearray, count: Count, loop: asyncio.AbstractEventLoop) -> None:
        self.target: tuple[str, int] | None = None
        self._place: tuple[str, int] | None = None  # where the side receives; `target` is the same unless it is lent
        self._socket = sock
        self._mapped = _MAPPED if sock.family == socket.AF_INET6 else ""
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._count = count
        self._loop = loop
        self.other: Mouth | None = None
        self._from = ""  # the host that may send; "": nobody
        self._source: object = None  # the address that was latched on to, as the kernel tells it
        self._heard = False  # something came from there since somebody else was looked at
        self._rival: object = None  # another port of the same host, that wants to be heard
        self._rival_since = 0.0
        self._follows = False
        self._translation: Translation | None = None
        self._lent = False
        loop.add_reader(sock, self._read)

    def join(self, other: Mouth) -> None:
        """Take the other side's socket."""
        self.other, other.other = other, self

    def lend(self, hear: Callable[[memoryview], None]) -> None:
        """Let somebody of ours hear the side instead of the other side; the view is of this moment alone."""

        def listen() -> None:
            for _ in range(_READS):
                try:
                    size, source = self._socket.recvfrom_into(self._buffer)
                except BlockingIOError:
                    return
                except OSError:
                    continue
                if source != self._source and not self._latch(source):
                    self._count.dropped += 1
                    continue
                self._heard = True
                hear(self._view[:size])
                if self._socket.fileno() < 0:  # what was heard has ended the call
                    return

        self._lent = True
        self.target = None
        self._loop.add_reader(self._socket, listen)

    def take_back(self) -> None:
        """Let both sides hear each other again."""
        if self._lent:
            self._lent = False
            self.target = self._place
            self._loop.add_reader(self._socket, self._read)

    def mark_first(self, then: Callable[[], None]) -> None:
        """Let both sides hear each other; mark the next packet from here as the begin of something new, and tell."""

        def read() -> None:
            with contextlib.suppress(OSError):
                size, source = self._socket.recvfrom_into(self._buffer)
                if source != self._source and not self._latch(source):
                    self._count.dropped += 1
                    return
                if size >= _HEADER:
                    self._buffer[1] |= _MARKER
                    self._loop.add_reader(self._socket, self._read)
                    then()
                self._pass_on(size)

        self.take_back()
        self._loop.add_reader(self._socket, read)

    def say(self, data: bytes) -> None:
        """Send a packet of our own to the side. What cannot be sent is lost, as packets may be."""
        if self._place is not None:
            try:
                self._socket.sendto(data, self._place)
            except (OSError, OverflowError):
                return

    def settle(self, path: Path | None, port: int, translation: Translation | None) -> None:
        """Take where the side is; the latch is open again."""
        self._source = self._rival = None
        if path is None:
            self._from = ""
            self._goes_to(None)
            return
        host = self._told(path.host)
        if not (path.follows and self._follows and host == self._from):  # else packets go on to where they went
            self._goes_to((host, port) if port else None)
        self._from, self._follows, self._translation = host, path.follows, translation

    def close(self) -> None:
        """Stop and close the socket."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _told(self, host: str) -> str:
        """Return an address as the kernel writes it on this socket."""
        host = host.lower()
        return self._mapped + host if self._mapped and ":" not in host else host

    def _read(self) -> None:
        receive, buffer = self._socket.recvfrom_into, self._buffer
        for _ in range(_READS):
            try:
                size, source = receive(buffer)
            except BlockingIOError:
                return
            except OSError:  # a report about an earlier packet
                continue
            if source != self._source and not self._latch(source):
                self._count.dropped += 1
            else:
                self._heard = True
                self._pass_on(size)

    def _pass_on(self, size: int) -> None:
        """Send what is in the buffer to the other side, in its words."""
        if self.other is not None and self.other.target is not None and size:
            if self._translation is not None:
                self._translate(self._translation, size)
            self.other.send(size)

    def _latch(self, source: tuple[str, int]) -> bool:
        """Take the first source that has the signalled address, and another port of it once that one is silent."""
        if source[0] != self._from or (self._source is not None and not self._replaces(source)):
            return False
        self._source, self._rival = source, None
        if self._follows:
            self._goes_to((source[0], source[1]))
        return True

    def _replaces(self, source: tuple[str, int]) -> bool:
        """Whether the port of before has been silent for as long as this one has spoken."""
        now = self._loop.time()
        if self._heard or source != self._rival:
            self._heard, self._rival, self._rival_since = False, source, now
        return now - self._rival_since >= GIVEN_UP

    def _goes_to(self, place: tuple[str, int] | None) -> None:
        self._place = place
        self.target = None if self._lent else place

    def _translate(self, translation: Translation, size: int) -> None:
        buffer = self._buffer
        kind = buffer[1]
        buffer[1] = translation.types[kind]
        table = translation.recoded.get(kind)
        start = _HEADER + 4 * (buffer[0] & 0x0F)
        if table is not None and not buffer[0] & 0x10 and start < size:  # G.711 has no header extensions to speak of
            buffer[start:size] = buffer[start:size].translate(table)

    def send(self, size: int) -> None:
        """Send what is in the buffer to this socket's side. What cannot be sent is lost, as packets may be."""
        try:
            self._socket.sendto(self._view[:size], self.target)  # type: ignore[arg-type]
        except (OSError, OverflowError):
            return
        self._count.relayed += 1
