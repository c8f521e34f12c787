"""SIP messages as a ladder, and as a capture."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest

from bridge.cli.ladder import drawn
from bridge.cli.pcap import write

CALLER, MEMBER = ("10.0.0.1", 5060), ("10.0.0.2", 5062)


def message(
    peer: tuple[str, int], sent: bool, first: str, cseq: str = "1 INVITE", body: str = "", at: float = 0.0
) -> Any:
    """Return a message as the agent's trace has it."""
    text = f"{first}\r\nFrom: <sip:203@x>;tag=1\r\nTo: <sip:600@x>\r\nCall-ID: c\r\nCSeq: {cseq}\r\n\r\n{body}"
    return {
        "number": 1,
        "at": 1_790_000_000.123 + at,
        "sent": sent,
        "transport": "udp",
        "peer": list(peer),
        "own": ["10.0.0.9", 5060],
        "text": text,
    }


CALL = [
    message(CALLER, False, "INVITE sip:600@10.0.0.9 SIP/2.0", body="v=0\r\nm=audio 4000 RTP/AVP 8\r\n"),
    message(MEMBER, True, "INVITE sip:201@10.0.0.2 SIP/2.0"),
    message(MEMBER, False, "SIP/2.0 180 Ringing"),
    message(CALLER, True, "SIP/2.0 200 OK"),
    message(MEMBER, True, "BYE sip:201@10.0.0.2 SIP/2.0", "2 BYE"),
    message(MEMBER, False, "SIP/2.0 200 OK", "2 BYE"),
]


def test_a_call_is_a_ladder_with_the_bridge_in_the_midst() -> None:
    """Who called stands left, who was called right; an arrow for each message; the method where it is not INVITE."""
    header, addresses, *lines = drawn(CALL, 80)
    assert header.split() == ["203", "bridge", "201"]
    assert addresses.split() == ["10.0.0.1:5060", "10.0.0.2:5062"]
    arrows = [line[12:].replace(" ", "").replace("-", "") for line in lines]
    assert arrows == [
        "|INVITE(sdp)>||",
        "||INVITE>|",
        "||<180Ringing|",
        "|<200OK||",
        "||BYE>|",
        "||<200OKBYE|",
    ]
    assert lines[0].rstrip().endswith("|") and ">" in lines[0] and "(sdp)" in lines[0]
    assert lines[0].index(">") < lines[1].index(">")


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_it_keeps_to_the_width(width: int) -> None:
    """No line is wider than the terminal; where columns would be too narrow, messages are told one after the other."""
    lines = drawn(CALL, width)
    assert all(len(line) <= width for line in lines)
    assert sum("INVITE" in line for line in lines) == 2


def test_many_peers_are_told_as_a_list() -> None:
    """With the direction, the peer, who that is, and what was said."""
    many = [message((f"10.0.0.{n}", 5060), True, f"INVITE sip:2{n:02}@x SIP/2.0") for n in range(12)]
    lines = drawn(many, 80)
    assert len(lines) == 12
    assert lines[3].endswith("-> INVITE  10.0.0.3:5060 (203)")


def test_nothing_is_no_ladder() -> None:
    """No message, no line."""
    assert drawn([], 80) == []


def test_a_capture_has_each_message_as_a_datagram() -> None:
    """The file's header, then each packet with its time, its addresses by direction and its text (libpcap, raw IP)."""
    out = io.BytesIO()
    messages = [CALL[0], CALL[1], message(("2001:db8::1", 5060), True, "OPTIONS sip:x SIP/2.0")]
    assert write(out, messages) == 3
    data = out.getvalue()
    assert struct.unpack_from("<IHH", data) == (0xA1B2C3D4, 2, 4) and struct.unpack_from("<I", data, 20) == (101,)
    position, packets = 24, []
    while position < len(data):
        seconds, micro, kept, whole = struct.unpack_from("<IIII", data, position)
        assert kept == whole and abs(seconds + micro / 1e6 - 1_790_000_000.123) < 0.001
        packets.append(data[position + 16 : position + 16 + kept])
        position += 16 + kept
    first, second, third = packets
    assert first[0] == 0x45 and first[12:16] == bytes([10, 0, 0, 1]) and first[16:20] == bytes([10, 0, 0, 9])
    assert second[12:16] == bytes([10, 0, 0, 9]) and second[16:20] == bytes([10, 0, 0, 2])
    assert sum(struct.unpack(">10H", first[:20])) % 0xFFFF == 0, "the checksum of the header"
    assert struct.unpack(">HHH", first[20:26]) == (5060, 5060, len(first) - 20)
    assert first[28:].startswith(b"INVITE sip:600") and third[0] >> 4 == 6 and third[6] == 17
