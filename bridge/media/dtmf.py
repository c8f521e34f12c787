"""Keys pressed during a talk, as telephone events in RTP (RFC 4733 §2).

A key is one event: packets that all carry the timestamp of its begin and the length so far, the last one three times
with its end bit set, since any may get lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bridge.media.g711 import FRAME, RATE
from bridge.media.rtp import Packet

KEYS = "0123456789*#ABCD"
_PAYLOAD = struct.Struct(">BBH")
_END = 0x80
_VOLUME = 10  # dBm0 below zero
_ENDS = 3


def presses(key: str, milliseconds: int = 100) -> Iterator[bytes]:
    """Yield an event's payloads, one for each 20 ms, then its end three times. Raises ValueError for no such key."""
    event = KEYS.index(key.upper()) if len(key) == 1 and key.upper() in KEYS else -1
    if event < 0:
        raise ValueError(f"key {key!r} must be one of {KEYS}")
    whole = max(FRAME, min(milliseconds * RATE // 1000, 0xFFFF))
    for duration in range(FRAME, whole, FRAME):
        yield _PAYLOAD.pack(event, _VOLUME, duration)
    yield from [_PAYLOAD.pack(event, _END | _VOLUME, whole)] * _ENDS


class KeyReader:
    """Reads keys from a stream's events: each one once, whichever of its packets get lost."""

    def __init__(self) -> None:
        self._begun: int | None = None

    def take(self, packet: Packet) -> str | None:
        """Return the key of an event packet, at the first that comes of it; None else, and for what is no key."""
        if len(packet.payload) < _PAYLOAD.size or packet.timestamp == self._begun:
            return None
        self._begun = packet.timestamp
        event = packet.payload[0]
        return KEYS[event] if event < len(KEYS) else None
