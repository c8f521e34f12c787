"""What a sender says about itself."""

from __future__ import annotations

import struct

import pytest

from bridge.media.rtcp import goodbye, report


def packets(data: bytes) -> list[tuple[int, bytes]]:
    """Take a compound packet apart, by the lengths that are written in it: type and body."""
    found = []
    while data:
        first, kind, length = struct.unpack_from(">BBH", data)
        assert first >> 6 == 2 and len(data) >= 4 * length + 4
        found.append((kind, data[4 : 4 * length + 4]))
        data = data[4 * length + 4 :]
    return found


@pytest.mark.parametrize("name", [b"", b"a", b"ab", b"abc", b"abcd", b"0123456789abcdef"])
def test_a_report(name: bytes) -> None:
    """Whose it is, when it was there, how much was sent; and a name, filled up to words of 4 bytes."""
    (kind, body), (described, names) = packets(report(7, name, 1_800_000_000.5, 160, 2, 320))
    assert (kind, described) == (200, 202)
    assert struct.unpack(">IIIIII", body) == (7, 1_800_000_000 + 2_208_988_800, 1 << 31, 160, 2, 320)
    assert names[:6] == b"\x00\x00\x00\x07\x01" + bytes([len(name)]) and names[6:].rstrip(b"\0") == name
    assert names[-1] == 0


def test_goodbye() -> None:
    """An empty report, the name, and BYE."""
    kinds = packets(goodbye(7, b"name"))
    assert [kind for kind, _ in kinds] == [201, 202, 203] and kinds[-1][1] == b"\x00\x00\x00\x07"
