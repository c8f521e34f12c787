"""What the kernel tells of links is told apart from all else."""

from __future__ import annotations

import struct

from bridge.sip.endpoint.interfaces import Interfaces

UP, DOWN = 0x11043, 0x1002


def link(index: int, flags: int, kind: int = 16, more: bytes = b"") -> bytes:
    """Return a message of the kernel's about a link."""
    body = struct.pack("=BxHiII", 0, 1, index, flags, 0) + more
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body + bytes(-len(body) % 4)


def told(interfaces: Interfaces, seen: list[bool], *data: bytes) -> bool:
    """Return whether links are told to have changed."""
    for each in data:
        interfaces.heard(each)
    interfaces._tell()
    return seen[-1]


def test_a_link_that_goes_down_or_up_is_a_change() -> None:
    """The first that is heard of one counts too; the same again does not, as Wi-Fi says now and then."""
    seen: list[bool] = []
    interfaces = Interfaces(seen.append)
    assert told(interfaces, seen, link(2, UP))
    assert not told(interfaces, seen, link(2, UP), link(2, UP | 0x100))
    assert told(interfaces, seen, link(2, UP) + link(3, UP, more=b"abc") + link(2, DOWN))
    assert told(interfaces, seen, link(2, UP), link(2, DOWN), link(2, UP))


def test_addresses_and_routes_are_no_links() -> None:
    """They are told as a change, and nothing is said of links; nor by what cannot be read."""
    seen: list[bool] = []
    interfaces = Interfaces(seen.append)
    for data in (link(2, UP, kind=20), link(2, UP, kind=24), b"", b"\x00" * 3, b"\x00" * 64, link(2, UP)[:20]):
        assert not told(interfaces, seen, data)
