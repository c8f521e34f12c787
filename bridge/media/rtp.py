"""RTP packets, and the two ends of a stream of them (RFC 3550 §5.1, appendix A).

A stream's sequence number counts packets, its timestamp counts samples; both begin anywhere and wrap. Nothing here
knows of sockets or clocks: a sender asks for the next packet, a receiver shows what came.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">BBHII")
_VERSION = 2 << 6
_LARGEST_JUMP = 3000  # packets; what is further away is another stream (RFC 3550 A.1)


class RtpError(ValueError):
    """Bytes that are no RTP packet; says why."""


class Packet(NamedTuple):
    """One packet; contributing sources, header extension and padding are left out of what is read."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def __bytes__(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(_VERSION, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse_packet(data: bytes) -> Packet:
    """Return the packet in a datagram. Raises `RtpError`."""
    if len(data) < _HEADER.size:
        raise RtpError(f"{len(data)} bytes are fewer than the header's {_HEADER.size}")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise RtpError(f"version {first >> 6} must be 2")
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise RtpError("header extension is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end or (first & 0x20 and data[-1] == 0):
        raise RtpError("contributing sources, extension or padding reach beyond the packet")
    return Packet(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


class Stream:
    """The sending end. `ssrc`, `sequence` and `timestamp` are where it begins: to be random (RFC 3550 §5.1)."""

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc & 0xFFFFFFFF
        self._sequence = sequence & 0xFFFF
        self._timestamp = timestamp & 0xFFFFFFFF
        self._spurt = True  # the next packet is the first after silence

    @property
    def timestamp(self) -> int:
        """The timestamp of the next packet."""
        return self._timestamp

    def packet(self, payload_type: int, payload: bytes, samples: int) -> bytes:
        """Return the next packet, which holds `samples`; the first one of a talk spurt is marked."""
        data = self._next(payload_type, payload, self._timestamp, self._spurt)
        self._spurt = False
        self._timestamp = (self._timestamp + samples) & 0xFFFFFFFF
        return data

    def event(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        """Return a packet of a telephone event, whose packets all have the time of its begin (RFC 4733 §2.5.1.2)."""
        return self._next(payload_type, payload, timestamp, marker)

    def pause(self, samples: int, *, spurt: bool = True) -> None:
        """Let samples pass without a packet; `spurt`: what comes after is marked as the begin of something new."""
        self._timestamp = (self._timestamp + samples) & 0xFFFFFFFF
        self._spurt = self._spurt or spurt

    def _next(self, payload_type: int, payload: bytes, timestamp: int, marker: bool) -> bytes:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        return _HEADER.pack(_VERSION, payload_type | marker << 7, sequence, timestamp, self.ssrc) + payload


class Reception:
    """The receiving end: which packets came, and how many did not (RFC 3550 A.1, A.3)."""

    def __init__(self) -> None:
        self.received = 0
        """Packets, duplicates left out."""
        self._ssrc: int | None = None
        self._first = 0
        self._highest = 0  # sequence number, wraps included
        self._before = 0  # packets expected of streams before this one
        self._recent: set[int] = set()

    @property
    def lost(self) -> int:
        """Packets that were sent, as their numbers tell, and have not come."""
        expected = self._before + (self._highest - self._first + 1 if self._ssrc is not None else 0)
        return max(0, expected - self.received)

    def take(self, packet: Packet) -> bool:
        """Note a packet; False for one that came before."""
        distance = ((packet.sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if packet.ssrc != self._ssrc or abs(distance) > _LARGEST_JUMP:
            self._begin(packet)
            return True
        number = self._highest + distance
        if number in self._recent or number < self._first:
            return False
        self._recent.add(number)
        if distance > 0:
            self._highest = number
            self._forget()
        self.received += 1
        return True

    def _begin(self, packet: Packet) -> None:
        if self._ssrc is not None:
            self._before += self._highest - self._first + 1
        self._ssrc = packet.ssrc
        self._first = self._highest = packet.sequence
        self._recent = {packet.sequence}
        self.received += 1

    def _forget(self) -> None:
        if len(self._recent) > 2 * _LARGEST_JUMP:
            self._recent = {number for number in self._recent if number >= self._highest - _LARGEST_JUMP}
