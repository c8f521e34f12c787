"""G.711: 8,000 samples a second, a byte each, by two laws (ITU-T G.711; payload types in RFC 3551 §6).

Both laws are tables here, made once, when they are first needed: 256 values to decode, and one byte for each of the
14 (µ-law) or 13 (A-law) leading bits of a sample to encode. Samples are 16 bits, signed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

RATE = 8000
"""Samples a second."""
FRAME = 160
"""Samples, and bytes, in a packet of 20 ms."""
FRAME_SECONDS = FRAME / RATE

_BIAS = 33  # µ-law: added to the magnitude, so that segments are powers of two
_LOUDEST = 8158  # µ-law: the largest magnitude of 14 bits that the bias leaves room for


class Law(NamedTuple):
    """One of the two laws: its name in SDP, its static payload type, and its byte for silence."""

    name: str
    payload: int
    silence: int


ULAW = Law("PCMU", 0, 0xFF)
ALAW = Law("PCMA", 8, 0xD5)
LAWS = {law.name: law for law in (ULAW, ALAW)}


def decode(law: Law, data: bytes) -> array[int]:
    """Return the samples of bytes."""
    return array("h", map(_decoding(law).__getitem__, data))


def encode(law: Law, samples: Iterable[int]) -> bytes:
    """Return samples as bytes; each must be -32768 to 32767."""
    table, shift = _encoding(law), 2 if law is ULAW else 3
    middle = len(table) // 2
    return bytes([table[middle + (sample >> shift)] for sample in samples])


@cache
def _decoding(law: Law) -> tuple[int, ...]:
    return tuple(map(_from_ulaw if law is ULAW else _from_alaw, range(256)))


@cache
def _encoding(law: Law) -> bytes:
    """Return the bytes of all leading bits, from the most negative on."""
    if law is ULAW:
        return bytes(map(_to_ulaw, range(-8192, 8192)))
    return bytes(map(_to_alaw, range(-4096, 4096)))


def _to_ulaw(value: int) -> int:
    magnitude = min(abs(value), _LOUDEST) + _BIAS
    segment = magnitude.bit_length() - 6
    step = (magnitude >> (segment + 1)) & 0x0F
    return ~((0x80 if value < 0 else 0) | segment << 4 | step) & 0xFF


def _from_ulaw(byte: int) -> int:
    byte = ~byte & 0xFF
    segment, step = byte >> 4 & 0x07, byte & 0x0F
    magnitude = ((2 * step + _BIAS) << segment) - _BIAS
    return (-magnitude if byte & 0x80 else magnitude) * 4


def _to_alaw(value: int) -> int:
    magnitude = value if value >= 0 else ~value
    segment = max(magnitude.bit_length() - 5, 0)
    step = (magnitude >> max(segment, 1)) & 0x0F
    return ((0x80 if value >= 0 else 0) | segment << 4 | step) ^ 0x55


def _from_alaw(byte: int) -> int:
    byte ^= 0x55
    segment, step = byte >> 4 & 0x07, byte & 0x0F
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + 33) << (segment - 1)
    return (magnitude if byte & 0x80 else -magnitude) * 8
