"""Tones: beeps that confirm and refuse, and what a telephone network sounds like (425 Hz, as in most of Europe)."""

from __future__ import annotations

from array import array

from bridge.media.prompts import BUSY, CONFIRMED, DENIED, RINGBACK, SILENCE
from bridge.media.tone import sine

_LEVEL = -18.0
_EDGE = 40  # samples that a beep takes to begin and to end, so that it does not click

TONES: dict[str, tuple[tuple[int, float], ...]] = {
    CONFIRMED: ((660, 0.12), (0, 0.04), (880, 0.18), (0, 0.1)),
    DENIED: ((300, 0.2), (0, 0.08), (240, 0.3), (0, 0.1)),
    RINGBACK: ((425, 1.0), (0, 4.0)),
    BUSY: ((425, 0.48), (0, 0.48)),
    SILENCE: ((0, 0.5),),
}
"""Hertz (0: silence) and seconds, one after the other."""


def beeps(name: str) -> array[int]:
    """Return a tone."""
    sound = array("h")
    for hertz, seconds in TONES[name]:
        count = round(8000 * seconds)
        sound += _softened(sine(hertz, _LEVEL, count)) if hertz else array("h", bytes(2 * count))
    return sound


def _softened(samples: array[int]) -> array[int]:
    last = len(samples) - 1
    return array("h", [each * min(at, last - at, _EDGE) // _EDGE for at, each in enumerate(samples)])
