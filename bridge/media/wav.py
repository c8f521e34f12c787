"""WAV files as 8,000 samples a second, one channel: read, mixed and resampled in plain Python. Pure.

Resampling is a low-pass of windowed sines, its coefficients ready for each of the phases that an output sample can
have between the input's (at 44.1 kHz these are 80). What lies above 3.7 kHz is gone then, instead of being heard as
something else.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from bridge.media.g711 import ALAW, RATE, ULAW, decode

LONGEST = 30 * 60
"""Seconds that a file may last."""
_RATES = range(8000, 192_001)
_PHASES = 320  # at the most, as 11.025 kHz has; a rate that nobody uses would have thousands
_PCM, _ALAW, _ULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE
_KINDS = {2: "ADPCM", 3: "floating point", 17: "ADPCM", 49: "GSM", 85: "MP3"}
_WIDE = 14  # zero crossings of the filter at either side
_CUT = 0.46  # of the rate of 8 kHz: 3.7 kHz
_WANTED = "give uncompressed PCM of 8, 16, 24 or 32 bits, mono or stereo, 8 to 192 kHz"


class WavError(ValueError):
    """What is no WAV file that can be played; says why, and what would be right."""


class Format(NamedTuple):
    """How samples are written: `kind` is PCM or a law of G.711; `rate` a second and channel."""

    kind: int
    channels: int
    rate: int
    bits: int


def samples_in(data: bytes) -> array[int]:
    """Return a file's sound as samples of 16 bits, 8,000 a second. Raises `WavError`."""
    form, sound = parts_of(data)
    return resampled(_mono(form, sound), form.rate)


def parts_of(data: bytes) -> tuple[Format, bytes]:
    """Return a file's format and its bytes of sound. Raises `WavError`."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError(f"it is no WAV file; {_WANTED}")
    form: Format | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]  # a recorder that was interrupted leaves a size that is too large
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            return _checked(form, body)
        at += 8 + size + size % 2
    raise WavError(f"it has no sound; {_WANTED}")


def _format(body: bytes) -> Format:
    if len(body) < 16:
        raise WavError(f"its format is cut off; {_WANTED}")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == _EXTENSIBLE and len(body) >= 26:
        kind = int.from_bytes(body[24:26], "little")
    return Format(kind, channels, rate, bits)


def _checked(form: Format | None, sound: bytes) -> tuple[Format, bytes]:
    if form is None:
        raise WavError(f"its sound comes before its format; {_WANTED}")
    if form.kind not in (_PCM, _ALAW, _ULAW):
        raise WavError(f"it is {_KINDS.get(form.kind, f'of kind {form.kind}')}; {_WANTED}")
    if form.bits not in ((8, 16, 24, 32) if form.kind == _PCM else (8,)):
        raise WavError(f"it has {form.bits} bits; {_WANTED}")
    if form.channels not in (1, 2):
        raise WavError(f"it has {form.channels} channels; {_WANTED}")
    if form.rate not in _RATES or RATE // math.gcd(form.rate, RATE) > _PHASES:
        raise WavError(f"it has {form.rate} samples a second; {_WANTED}")
    frame = form.channels * form.bits // 8
    sound = sound[: len(sound) // frame * frame]
    if not sound:
        raise WavError(f"it has no sound; {_WANTED}")
    if len(sound) > LONGEST * form.rate * frame:
        raise WavError(f"it lasts longer than {LONGEST // 60} minutes; cut it")
    return form, sound


def _mono(form: Format, sound: bytes) -> array[int]:
    """Return the samples of all channels in one, 16 bits."""
    samples = _decoded(form, sound)
    if form.channels == 1:
        return samples
    return array("h", [(left + right) >> 1 for left, right in zip(samples[::2], samples[1::2], strict=True)])


def _decoded(form: Format, sound: bytes) -> array[int]:
    if form.kind != _PCM:
        return decode(ULAW if form.kind == _ULAW else ALAW, sound)
    if form.bits == 8:  # these alone have no sign
        return array("h", [(each - 128) << 8 for each in sound])
    if form.bits > 16:  # the two bytes at the top are heard
        width = form.bits // 8
        top = bytearray(len(sound) // width * 2)
        top[::2], top[1::2] = sound[width - 2 :: width], sound[width - 1 :: width]
        sound = bytes(top)
    samples = array("h", sound)
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        samples.byteswap()
    return samples


def resampled(samples: Sequence[int], rate: int) -> array[int]:
    """Return samples at 8,000 a second."""
    if rate == RATE:
        return array("h", samples)
    share = math.gcd(rate, RATE)
    step, phases = rate // share, RATE // share  # `step` input samples are `phases` output samples
    reach = math.ceil(_WIDE * rate / RATE)
    taps = [_taps(phase / phases, reach, rate) for phase in range(phases)]
    padded = array("h", bytes(2 * reach)) + array("h", samples) + array("h", bytes(2 * (reach + 1)))
    count = len(samples) * phases // step
    out = array("h", bytes(2 * count))
    width = 2 * reach + 1
    for number in range(count):
        start, phase = divmod(number * step, phases)
        value = round(sum(map(mul, taps[phase], padded[start : start + width])))
        out[number] = max(-32768, min(32767, value))
    return out


def _taps(offset: float, reach: int, rate: int) -> list[float]:
    """Return the filter for an output sample that lies `offset` behind an input sample; their sum is 1."""
    cut = _CUT * RATE / rate  # of the input's rate
    raw = []
    for n in range(-reach, reach + 1):
        at = n - offset
        sine = 2 * cut if at == 0 else math.sin(2 * math.pi * cut * at) / (math.pi * at)
        place = max(-1.0, min(1.0, at / (reach + 1)))
        raw.append(sine * (0.42 + 0.5 * math.cos(math.pi * place) + 0.08 * math.cos(2 * math.pi * place)))  # Blackman
    total = sum(raw)
    return [each / total for each in raw]
