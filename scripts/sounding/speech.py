"""Prompts, spoken by espeak-ng and made fit for the telephone: silence cut off, all equally loud."""

from __future__ import annotations

import math
import subprocess
from array import array

from sounding.texts import VOICES

from bridge.media.wav import samples_in

_LEVEL = 10 ** (-19 / 20) * 32767  # of the loud parts
_QUIET = 250  # below, it is not speech
_AROUND = 400  # samples that are left beside speech: 50 ms
_WINDOW = 160
_SOUNDS = {"en": {"PIN": "pin"}, "de": {"PIN": "Pinn"}}
"""Words that espeak-ng would read letter by letter."""


def spoken(text: str, language: str) -> array[int]:
    """Return a text as sound, 8,000 samples a second."""
    voice, speed = VOICES[language]
    for word, as_it_sounds in _SOUNDS[language].items():
        text = text.replace(word, as_it_sounds)
    command = ["espeak-ng", "-v", voice, "-s", speed, "-p", "42", "--stdout", text]
    return _levelled(_trimmed(samples_in(subprocess.run(command, check=True, capture_output=True).stdout)))


def _trimmed(samples: array[int]) -> array[int]:
    loud = [at for at, sample in enumerate(samples) if abs(sample) > _QUIET]
    cut = samples[max(0, loud[0] - _AROUND // 4) : loud[-1] + _AROUND]
    for at in range(min(_AROUND // 2, len(cut))):
        cut[-1 - at] = cut[-1 - at] * at // (_AROUND // 2)
    return cut


def _levelled(samples: array[int]) -> array[int]:
    powers = sorted(_power(samples[at : at + _WINDOW]) for at in range(0, len(samples), _WINDOW))
    loud = powers[len(powers) * 2 // 3 :]
    gain = _LEVEL / math.sqrt(2 * sum(loud) / len(loud))
    return array("h", [round(28000 * math.tanh(sample * gain / 28000)) for sample in samples])


def _power(samples: array[int]) -> float:
    return sum(sample * sample for sample in samples) / len(samples)
