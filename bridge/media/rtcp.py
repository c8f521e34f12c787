"""What a sender says about itself beside its stream: RTCP (RFC 3550 §6). Pure.

Enough to please phones: sender reports, which some take as a sign of life, each with the one item that every report
must carry, a name (§6.5.1); and a goodbye, so that a stream that is over is not waited for.
"""

from __future__ import annotations

import struct

EVERY = 5.0
"""Seconds between reports."""
_SENDER_REPORT, _DESCRIPTION, _GOODBYE = 200, 202, 203
_CNAME = 1
_SINCE_1900 = 2_208_988_800
_REPORT = struct.Struct(">BBHIIIIII")
_HEAD = struct.Struct(">BBHI")


def report(ssrc: int, name: bytes, wall: float, timestamp: int, packets: int, octets: int) -> bytes:
    """Return a sender's report: at `wall`, UTC, its stream was at `timestamp`; so many packets and bytes were sent."""
    seconds = int(wall)
    fraction = int((wall - seconds) * 2**32)
    head = 2 << 6, _SENDER_REPORT, 6, ssrc, (seconds + _SINCE_1900) & 0xFFFFFFFF, fraction & 0xFFFFFFFF
    return _REPORT.pack(*head, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF) + _description(ssrc, name)


def goodbye(ssrc: int, name: bytes) -> bytes:
    """Return that a stream is over; a packet of RTCP begins with a report, if an empty one (§6.1)."""
    empty = _HEAD.pack(2 << 6, _SENDER_REPORT + 1, 1, ssrc)
    return empty + _description(ssrc, name) + _HEAD.pack(2 << 6 | 1, _GOODBYE, 1, ssrc)


def _description(ssrc: int, name: bytes) -> bytes:
    item = bytes([_CNAME, len(name)]) + name
    item += bytes(4 - len(item) % 4)  # one zero at the least ends the list
    return _HEAD.pack(2 << 6 | 1, _DESCRIPTION, 1 + len(item) // 4, ssrc) + item
