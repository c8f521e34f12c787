"""Messages as a capture that Wireshark reads: each is written as one UDP datagram, however it was carried.

The format is libpcap's, with packets that begin at the IP header (LINKTYPE_RAW).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

_MAGIC_MICROSECONDS = 0xA1B2C3D4
_RAW = 101
_UDP = 17
_MOST = 65_000


def write(out: BinaryIO, messages: Iterable[Mapping[str, Any]]) -> int:
    """Write a capture; return how many packets are in it."""
    out.write(struct.pack("<IHHiIII", _MAGIC_MICROSECONDS, 2, 4, 0, 0, 65_535, _RAW))
    count = 0
    for message in messages:
        packet = _packet(message)
        seconds, fraction = divmod(message["at"], 1)
        out.write(struct.pack("<IIII", int(seconds), int(fraction * 1_000_000), len(packet), len(packet)))
        out.write(packet)
        count += 1
    return count


def _packet(message: Mapping[str, Any]) -> bytes:
    source: tuple[str, int] = tuple(message["own"])
    target: tuple[str, int] = tuple(message["peer"])
    if not message["sent"]:
        source, target = target, source
    payload: bytes = message["text"].encode()[:_MOST]
    datagram = struct.pack(">HHHH", source[1] & 0xFFFF, target[1] & 0xFFFF, 8 + len(payload), 0) + payload
    addresses = [_address(host) for host, _ in (source, target)]
    if any(address.version == 6 for address in addresses):
        raw = [
            address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed
            for address in addresses
        ]
        return struct.pack(">IHBB", 6 << 28, len(datagram), _UDP, 64) + b"".join(raw) + datagram
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, _UDP, 0)
    header += b"".join(address.packed for address in addresses)
    checksum = _sum(header)
    return header[:10] + struct.pack(">H", checksum) + header[12:] + datagram


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return a host as an address; a name, which is no address yet, as none."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return ipaddress.IPv4Address(0)


def _sum(header: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
