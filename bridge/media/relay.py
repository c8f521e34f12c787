"""The relay: RTP and RTCP from one side of a call to the other, on bare non-blocking sockets.

Each side of a stream has two sockets. A socket takes packets from one source alone: the first that comes from the
address which its side has signalled; whatever comes from elsewhere is dropped, so that the relay reflects nothing to
anybody. A new description opens the choice again, for a phone whose NAT has given it another port meanwhile.

A packet is read into one buffer that all sockets share, changed there, and sent on: nothing is kept or copied.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bridge.media.metronome import Metronome
from bridge.media.model import SIDES, Path, Translation, VoiceEvent
from bridge.media.sounds import Sounds
from bridge.media.speaker import PairSpeaker, Stage
from bridge.media.voice import Voice

STREAMS = 4
"""Streams a call: sound, picture, and two more; further ones find no ports."""
_READS = 32  # packets taken from one socket in one turn of the loop
_LARGEST = 65536
_HEADER = 12
_MARKER = 0x80
_MAPPED = "::ffff:"
_EXPEDITED = 0xB8  # DSCP EF (RFC 4594 §4.1): queues let speech pass
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


@dataclass(slots=True)
class Count:
    """Packets so far: sent on, and dropped because a stranger sent them."""

    relayed: int = 0
    dropped: int = 0


class Ports:
    """All ports of the relay. `host`: the address of ours to use, "" for every one.

    `sounds` are what our own voices play, and `tell` takes what happens at them.
    """

    def __init__(
        self,
        first: int,
        last: int,
        host: str = "",
        sounds: Sounds | None = None,
        tell: Callable[[VoiceEvent], None] = lambda event: None,
    ) -> None:
        self.count = Count()
        self._used: set[int] = set()
        self.stage = Stage(sounds or Sounds(), tell, Metronome())
        self._host = host.strip("[]")
        self._buffer = bytearray(_LARGEST)
        self.configure(first, last)

    def configure(self, first: int, last: int) -> None:
        """Use other ports from now on; those that are in use stay so until they are given back."""
        self._range = range(first + first % 2, last, 2)
        self._free = deque(port for port in self._range if port not in self._used)

    def open(self) -> CallRelay | None:
        """Return a relay whose first stream has its ports; None where no ports are left."""
        relay = CallRelay(self)
        if relay.ports(0) is None:
            return None
        return relay

    @property
    def free(self) -> int:
        """How many pairs are left."""
        return len(self._free)

    def take(self) -> Pair | None:
        """Open the pair that has been free for the longest; None where none is left. One that others use is kept."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            pair = self._bound(port)
            if pair is not None:
                self._used.add(port)
                return pair
            self._free.append(port)
        return None

    def give_back(self, pair: Pair) -> None:
        """Close a pair."""
        for each in (pair.rtp, pair.rtcp):
            each.close()
        self._used.discard(pair.port)
        if pair.port in self._range:
            self._free.append(pair.port)

    def _bound(self, port: int) -> Pair | None:
        with contextlib.ExitStack() as undo:
            socks = []
            for number in (port, port + 1):
                sock = _bind(self._host, number)
                if sock is None:
                    return None
                undo.callback(sock.close)
                socks.append(sock)
            undo.pop_all()
        loop = asyncio.get_running_loop()
        rtp, rtcp = (Mouth(sock, self._buffer, self.count, loop) for sock in socks)
        return Pair(port, rtp, rtcp)


class Mouth:
    """One socket: what its side sends goes out through `other`, what the other side sends goes to `target`."""

    def __init__(self, sock: socket.socket, buffer: bytearray, count: Count, loop: asyncio.AbstractEventLoop) -> None:
        self.target: tuple[str, int] | None = None
        self._socket = sock
        self._mapped = _MAPPED if sock.family == socket.AF_INET6 else ""
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._count = count
        self._loop = loop
        self.other: Mouth | None = None
        self._from = ""  # the host that may send; "": nobody
        self._source: object = None  # the address that was latched on to, as the kernel tells it
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
                hear(self._view[:size])
                if self._socket.fileno() < 0:  # what was heard has ended the call
                    return

        self._lent = True
        self._loop.add_reader(self._socket, listen)

    def take_back(self) -> None:
        """Let the other side hear it again."""
        if self._lent:
            self._lent = False
            self._loop.add_reader(self._socket, self._read)

    def mark_first(self, then: Callable[[], None]) -> None:
        """Mark the next packet that goes to the other side as the begin of something new, and tell of it."""

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

        self._lent = False
        self._loop.add_reader(self._socket, read)

    def say(self, data: bytes) -> None:
        """Send a packet of our own to the side. What cannot be sent is lost, as packets may be."""
        if self.target is not None:
            with contextlib.suppress(OSError, OverflowError):
                self._socket.sendto(data, self.target)

    def settle(self, path: Path | None, port: int, translation: Translation | None) -> None:
        """Take where the side is; the latch is open again."""
        self._source = None
        if path is None:
            self._from, self.target = "", None
            return
        host = self._told(path.host)
        if not (path.follows and self._follows and host == self._from):  # else packets go on to where they went
            self.target = (host, port) if port else None
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
                self._pass_on(size)

    def _pass_on(self, size: int) -> None:
        """Send what is in the buffer to the other side, in its words."""
        if self.other is not None and self.other.target is not None and size:
            if self._translation is not None:
                self._translate(self._translation, size)
            self.other.send(size)

    def _latch(self, source: tuple[str, int]) -> bool:
        """Take the first source that has the signalled address."""
        if self._source is not None or source[0] != self._from:
            return False
        self._source = source
        if self._follows:
            self.target = (source[0], source[1])
        return True

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


@dataclass(slots=True, eq=False)
class Pair:
    """A side's two sockets of a stream, RTP at an even port and RTCP at the next."""

    port: int
    rtp: Mouth
    rtcp: Mouth


class CallRelay:
    """One call's streams."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._streams: dict[int, tuple[Pair, Pair]] = {}
        self._speakers: list[PairSpeaker] = []
        self._closed = False

    def ports(self, stream: int) -> tuple[int, int] | None:
        """Return the RTP ports of a stream, the caller's and the member's; None where no more are left."""
        pairs = self._streams.get(stream) or self._take(stream)
        return (pairs[0].port, pairs[1].port) if pairs is not None else None

    def _take(self, stream: int) -> tuple[Pair, Pair] | None:
        if self._closed or len(self._streams) >= STREAMS or self._ports.free < len(SIDES):
            return None
        first = self._ports.take()
        second = self._ports.take() if first is not None else None
        if first is None or second is None:
            if first is not None:
                self._ports.give_back(first)
            return None
        first.rtp.join(second.rtp)
        first.rtcp.join(second.rtcp)
        self._streams[stream] = first, second
        return first, second

    def settle(self, stream: int, side: int, path: Path | None) -> None:
        """Take where a side of a stream is; None: it is not wanted (any more)."""
        pairs = self._streams.get(stream)
        if pairs is not None:
            pairs[side].rtp.settle(path, path.port if path else 0, path.translation if path else None)
            pairs[side].rtcp.settle(path, path.rtcp if path else 0, None)

    def speaker(self, stream: int, side: int, voice: Voice) -> PairSpeaker:
        """Return our own end of a side of a stream that has its ports."""
        made = PairSpeaker(voice, self._streams[stream][side], self._ports.stage)
        self._speakers.append(made)
        return made

    def close(self) -> None:
        """Give the ports back."""
        self._closed = True
        for speaker in self._speakers:
            speaker.end()
        self._speakers.clear()
        for pairs in self._streams.values():
            for pair in pairs:
                self._ports.give_back(pair)
        self._streams.clear()


def shared_host(hosts: Iterable[str]) -> str:
    """Return the one address of ours that all of these are, "" where they are several or any."""
    every = {host.strip("[]") for host in hosts}
    return every.pop() if len(every) == 1 and not every & {"0.0.0.0", "::"} else ""


def _bind(host: str, port: int) -> socket.socket | None:
    """Return a bound socket; None where somebody else has the port. On every address: IPv6 takes IPv4 too."""
    for family, address in _addresses(host):
        sock = None
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setblocking(False)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
            sock.bind((address, port))
            return sock
        except OSError as error:
            if sock is not None:
                sock.close()
            if error.errno in _TAKEN:
                return None
    return None


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if host:
        return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]
    return [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]
