"""The relay: RTP and RTCP from one side of a call to the other, on bare non-blocking sockets.

Each side of a stream has two sockets (`mouth`), each joined with that of the other side. A side can be spoken to by us
instead (`speaker`), from the same sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bridge.media.metronome import Metronome
from bridge.media.model import SIDES, Path, Relay, VoiceEvent
from bridge.media.mouth import Count, Mouth
from bridge.media.sounds import Sounds
from bridge.media.speaker import PairSpeaker, Stage
from bridge.media.voice import Voice
from bridge.sip.endpoint.listening import speak_from_lasting

STREAMS = 4
"""Streams a call: sound, picture, and two more; further ones find no ports."""
_LARGEST = 65536
_HIGHEST_PORT = 65535
_EXPEDITED = 0xB8  # DSCP EF (RFC 4594 §4.1): queues let speech pass
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


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

    def reopen(self, ports: Sequence[tuple[int, int]]) -> CallRelay | None:
        """Return a relay whose streams have these ports, as one before had; None where one of them is taken."""
        relay = CallRelay(self)
        for stream, wanted in enumerate(ports):
            if not relay.take_again(stream, wanted):
                relay.close()
                return None
        return relay

    @property
    def free(self) -> int:
        """How many pairs are left."""
        return len(self._free)

    @property
    def in_use(self) -> int:
        """How many pairs are in use."""
        return len(self._used)

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

    def take_again(self, port: int) -> Pair | None:
        """Open this pair; None where somebody has it."""
        pair = self._bound(port) if port not in self._used and 0 < port < _HIGHEST_PORT else None
        if pair is not None:
            self._used.add(port)
            if port in self._free:
                self._free.remove(port)
        return pair

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
        self._join(stream, first, second)
        return first, second

    @property
    def held(self) -> list[tuple[int, int]]:
        """The RTP ports of every stream that has some, in the streams' order."""
        return [(first.port, second.port) for _, (first, second) in sorted(self._streams.items())]

    def take_again(self, stream: int, ports: tuple[int, int]) -> bool:
        """Give a stream these ports; False where it cannot have them."""
        first = self._ports.take_again(ports[0])
        second = self._ports.take_again(ports[1]) if first is not None else None
        if first is None or second is None:
            if first is not None:
                self._ports.give_back(first)
            return False
        self._join(stream, first, second)
        return True

    def _join(self, stream: int, first: Pair, second: Pair) -> None:
        first.rtp.join(second.rtp)
        first.rtcp.join(second.rtcp)
        self._streams[stream] = first, second

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

    def adopt(self, side: int, other: Relay) -> None:
        """Take over a side's ports from another relay, with what is spoken there; close the rest of the other."""
        assert isinstance(other, CallRelay)
        for number, theirs in other._streams.items():
            mine = self._streams.get(number)
            if mine is None:
                continue
            self._ports.give_back(mine[side])
            kept = theirs[side], mine[1 - side]
            self._streams[number] = kept if side == 0 else (kept[1], kept[0])
            for ours, others in ((kept[0].rtp, kept[1].rtp), (kept[0].rtcp, kept[1].rtcp)):
                ours.join(others)
            spoken = [speaker for speaker in other._speakers if speaker.pair is theirs[side]]
            self._speakers += spoken
            other._speakers = [speaker for speaker in other._speakers if speaker not in spoken]
            left = theirs[1 - side]
            self._ports.give_back(left)
        for number in self._streams:
            other._streams.pop(number, None)
        other.close()

    def mirror(self) -> None:
        """Let the caller's ports be the member's, and the member's the caller's, with what is spoken there."""
        self._streams = {number: (second, first) for number, (first, second) in self._streams.items()}

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
                speak_from_lasting(sock)
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
