"""The music on hold: eight bars for a soft electric piano, a bass and a bell, composed for this project.

In F, 76 quarters a minute, round and round: what still sounds at the end is heard at the begin. All of it lies between
150 Hz and 3 kHz, where telephones hear, and is quiet enough to be listened to for long.
"""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

RATE = 8000
QUARTER = 60 / 76
BARS = 8
LENGTH = round(BARS * 4 * QUARTER * RATE)

_CHORDS = (  # notes as half-tones from A = 440 Hz, from the bass up
    (-16, -4, 0, 3, 7),  # F major 7
    (-19, -7, -2, 3, 5),  # D minor 7
    (-14, -2, 1, 5, 8),  # G minor 7
    (-9, -5, -2, 3, 7),  # C 7 sus 4
    (-12, 0, 3, 7, 10),  # A minor 7
    (-19, -7, 0, 3, 8),  # D minor 9
    (-11, -7, -4, 1, 5),  # B flat major 7
    (-9, -5, -2, 1, 7),  # C 7
)
_FIGURE = ((0.0, 1), (0.5, 2), (1.0, 3), (1.5, 4), (2.0, 3), (2.5, 2), (3.0, 4), (3.5, 3))  # quarter, note of the chord
_MELODY = (  # quarter from the begin, half-tones, quarters long
    *((1, 12, 2), (3, 15, 1), (4.5, 10, 2.5), (8, 13, 1.5), (9.5, 12, 0.5), (10, 10, 2), (13, 8, 1), (14, 10, 2)),
    *((16, 12, 1.5), (17.5, 15, 0.5), (18, 19, 2), (21, 17, 1), (22, 15, 2), (24, 13, 1.5), (25.5, 12, 0.5)),
    *((26, 10, 2), (29, 7, 1), (30, 10, 1.5)),
)


class _Tone(NamedTuple):
    """How an instrument sounds: partials (number, loudness), seconds to swell, seconds to die away, and how long."""

    partials: tuple[tuple[float, float], ...]
    swell: float
    fade: float
    rings: float


_PIANO = _Tone(((1, 1.0), (2, 0.32), (3, 0.08), (4, 0.04)), 0.008, 0.75, 2.2)
_BASS = _Tone(((1, 0.5), (2, 1.0), (3, 0.35), (4, 0.12)), 0.02, 1.1, 3.0)
_BELL = _Tone(((1, 1.0), (2.0, 0.25), (3.01, 0.12)), 0.03, 1.0, 2.8)
_PAD = _Tone(((1, 1.0), (1.004, 0.8), (2, 0.2)), 0.8, 2.2, 4.2)


def music() -> array[int]:
    """Return the piece."""
    sound = [0.0] * LENGTH
    for bar, chord in enumerate(_CHORDS):
        at = bar * 4 * QUARTER
        for beat in (0.0, 2.0):
            _add(sound, _BASS, at + beat * QUARTER, chord[0], 0.5)
        for note in chord[1:4]:
            _add(sound, _PAD, at, note, 0.16)
        for beat, note in _FIGURE:
            late = 0.04 if beat % 1 else 0.0  # it swings a little
            _add(sound, _PIANO, at + (beat + late) * QUARTER, chord[note], 0.42 if beat % 2 == 0 else 0.3)
    for beat, note, _ in _MELODY:
        _add(sound, _BELL, beat * QUARTER, note, 0.38)
    peak = max(map(abs, sound))
    return array("h", [round(5600 * math.tanh(1.3 * sample / peak)) for sample in sound])


def _add(sound: list[float], tone: _Tone, at: float, note: int, loud: float) -> None:
    """Add a note; what goes beyond the end is heard at the begin."""
    hertz = 440 * 2 ** (note / 12)
    start, count = round(at * RATE), round(tone.rings * RATE)
    partials = [(2 * math.pi * hertz * number / RATE, share) for number, share in tone.partials]
    for n in range(count):
        seconds = n / RATE
        rise = min(1.0, seconds / tone.swell)
        end = min(1.0, (count - n) / (0.05 * RATE))
        shape = loud * rise * end * math.exp(-seconds / tone.fade)
        sound[(start + n) % LENGTH] += shape * sum(share * math.sin(turn * n) for turn, share in partials)
