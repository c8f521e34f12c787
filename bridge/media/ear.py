"""Listens to a G.711 stream: how much comes, how loud, and which tone it is."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from bridge.media.g711 import RATE, Law, decode
from bridge.media.rtp import Packet, Reception
from bridge.media.tone import level, strongest

WINDOW = RATE // 20
"""Samples that are looked at: 50 ms, in which tones 20 Hz apart are told apart."""
_TONES = range(300, 3401, 10)
_NEAR = range(-9, 10)
_CLEAR = 0.5  # of the power; below, there is no tone but a mixture


class Heard(NamedTuple):
    """What came so far, and what the last 50 ms were: `level` in dBFS, `hertz` of a tone where there was one."""

    packets: int
    lost: int
    level: float
    hertz: int | None


class Ear:
    """Takes packets; tells what they were when asked, which is when the work is done."""

    def __init__(self) -> None:
        self._reception = Reception()
        self._last = array("h")

    def take(self, packet: Packet, law: Law) -> bool:
        """Hear a packet; False for one that came before."""
        if not self._reception.take(packet):
            return False
        self._last = (self._last + decode(law, packet.payload))[-WINDOW:]
        return True

    def note(self, packet: Packet) -> bool:
        """Count a packet that has no sound; False for one that came before."""
        return self._reception.take(packet)

    @property
    def packets(self) -> int:
        """How many have come."""
        return self._reception.received

    def heard(self) -> Heard:
        """Return what was heard."""
        loud, hertz = judge(self._last)
        return Heard(self._reception.received, self._reception.lost, loud, hertz)


def judge(samples: Sequence[int]) -> tuple[float, int | None]:
    """Return the level of the last 50 ms of samples, and their tone where they have one."""
    last = samples[-WINDOW:]
    loud = level(last)
    if len(last) < WINDOW:
        return round(loud, 1), None
    near = strongest(last, _TONES)
    found = strongest(last, [near.hertz + off for off in _NEAR]) if near else None
    return round(loud, 1), found.hertz if found and found.share >= _CLEAR else None
