"""WAV files for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def wav(samples: Sequence[int], rate: int, bits: int = 16, channels: int = 1, kind: int = 1) -> bytes:
    """Return a file with these samples of 16 bits in every channel."""
    if bits == 8:
        one = [bytes([(each >> 8) + 128]) for each in samples]
    else:
        one = [(each << (bits - 16)).to_bytes(bits // 8, "little", signed=True) for each in samples]
    sound = b"".join(each * channels for each in one)
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
        for name, body in ((b"fmt ", form), (b"LIST", b"odd"), (b"data", sound))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
