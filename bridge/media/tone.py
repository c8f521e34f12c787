"""Tones: made as ready frames, and found again in what is heard.

Levels are in dB below the loudest sine that 16 bits hold (dBFS): that sine is 0, silence is `SILENT`.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bridge.media.g711 import FRAME, RATE, Law, encode

SILENT = -96.0
"""The level of digital silence: what 16 bits can tell apart ends here."""
_FULL = 32767.0
_FRAMES_A_SECOND = RATE // FRAME


def frames(law: Law, hertz: int, level: float = -16.0) -> tuple[bytes, ...]:
    """Return frames of 20 ms that make a tone when they are sent round and round, without a click at the seam."""
    count = _FRAMES_A_SECOND // math.gcd(hertz, _FRAMES_A_SECOND)
    data = encode(law, sine(hertz, level, count * FRAME))
    return tuple(data[start : start + FRAME] for start in range(0, len(data), FRAME))


def silence(law: Law) -> tuple[bytes, ...]:
    """Return the frame of silence."""
    return (bytes([law.silence]) * FRAME,)


def sine(hertz: float, level: float, length: int) -> array[int]:
    """Return `length` samples of a tone."""
    peak = _FULL * 10 ** (level / 20)
    turn = 2 * math.pi * hertz / RATE
    return array("h", [round(peak * math.sin(turn * n)) for n in range(length)])


def level(samples: Sequence[int]) -> float:
    """Return the level of samples, `SILENT` at the least."""
    power = sum(sample * sample for sample in samples) / len(samples) if samples else 0.0
    return max(SILENT, 10 * math.log10(2 * power / _FULL**2)) if power else SILENT


class Found(NamedTuple):
    """A tone, and how much of all power is in it: 0 to 1."""

    hertz: int
    share: float


def strongest(samples: Sequence[int], among: Iterable[int]) -> Found | None:
    """Return which of these frequencies the samples have most of; None where they are silent.

    Frequencies nearer to each other than 8,000 Hz / len(samples) are not told apart.
    """
    power = sum(sample * sample for sample in samples)
    found = (Found(hertz, _power_at(samples, hertz) * 2 / (len(samples) * power)) for hertz in among if power)
    best = max(found, key=lambda each: each.share, default=None)
    return best and best._replace(share=min(1.0, best.share))


def _power_at(samples: Iterable[int], hertz: float) -> float:
    """Return the squared magnitude of one frequency, by Goertzel's recurrence."""
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    return last * last + before * before - factor * last * before
