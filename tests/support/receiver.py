"""A phone's ear for RTP: what came, when, and whether it goes on without a gap."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from array import array
from typing import NamedTuple

from bridge.media.ear import judge
from bridge.media.g711 import ALAW, ULAW, decode
from bridge.media.rtp import Packet, Stream, parse_packet
from tests.support.process import PATIENCE


class Arrival(NamedTuple):
    """A packet, and when it came, by the loop's clock."""

    at: float
    packet: Packet


class Receiver:
    """RTP and RTCP sockets at a free even port of a loopback address. Use as a context on a running loop."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.arrivals: list[Arrival] = []
        self.reports: list[bytes] = []
        self.rtp, self.rtcp = _pair(host)
        self.port: int = self.rtp.getsockname()[1]
        self.stream = Stream(77, 1, 1)
        self._came = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.rtp, self._hear)
        loop.add_reader(self.rtcp, lambda: self.reports.append(self.rtcp.recv(2048)))

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for each in (self.rtp, self.rtcp):
            loop.remove_reader(each)
            each.close()

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self.rtp.recv(4096)
                self.arrivals.append(Arrival(asyncio.get_running_loop().time(), parse_packet(data)))
                self._came.set()

    async def hears(self, count: int) -> list[Packet]:
        """Wait until so many packets have come in all; return them."""
        async with asyncio.timeout(PATIENCE):
            while len(self.arrivals) < count:
                self._came.clear()
                await self._came.wait()
        return self.packets

    async def is_told(self, count: int) -> list[bytes]:
        """Wait until so many packets of RTCP have come in all; return them."""
        async with asyncio.timeout(PATIENCE):
            while len(self.reports) < count:
                await asyncio.sleep(0.005)
        return self.reports

    async def is_left(self, ssrc: int) -> None:
        """Wait until a stream has said goodbye."""
        async with asyncio.timeout(PATIENCE):
            while not any(each.endswith(b"\x81\xcb\x00\x01" + ssrc.to_bytes(4, "big")) for each in self.reports):
                await asyncio.sleep(0.005)

    @property
    def packets(self) -> list[Packet]:
        """What came so far."""
        return [arrival.packet for arrival in self.arrivals]

    @property
    def longest_gap(self) -> float:
        """The longest time between two packets, seconds."""
        times = [arrival.at for arrival in self.arrivals]
        return max((later - earlier for earlier, later in zip(times, times[1:], strict=False)), default=0.0)

    def hertz(self) -> int | None:
        """Return the tone that came last, None where it was none."""
        return judge(samples_of(self.packets[-3:]))[1]

    def say(self, data: bytes, port: int, to: str = "127.0.0.1") -> None:
        """Send a packet."""
        self.rtp.sendto(data, (to, port))


def samples_of(packets: list[Packet]) -> array[int]:
    """Return the sound of packets of G.711."""
    samples = array("h")
    for packet in packets:
        if packet.payload_type in (0, 8):
            samples += decode(ALAW if packet.payload_type == 8 else ULAW, packet.payload)
    return samples


def whole(packets: list[Packet]) -> bool:
    """Whether packets are one stream: sequence goes on by one, time by a packet each.

    Or by several: a program that was held up, as on a busy machine, leaves out what should have been sent meanwhile.
    """
    return all(
        (after.ssrc, after.sequence) == (before.ssrc, (before.sequence + 1) & 0xFFFF)
        and 0 < (passed := after.timestamp - before.timestamp & 0xFFFFFFFF) < 80_000
        and passed % 160 == 0
        for before, after in zip(packets, packets[1:], strict=False)
    )


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        rtp = socket.socket(family, socket.SOCK_DGRAM)
        rtp.bind((host, 0))
        port = rtp.getsockname()[1]
        rtcp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            rtcp.bind((host, port + 1))
        except (OSError, OverflowError):
            rtcp.close()
            rtp.close()
            continue
        for each in (rtp, rtcp):
            each.setblocking(False)
        return rtp, rtcp
    raise AssertionError("no two free ports side by side")
