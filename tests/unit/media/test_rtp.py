import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.media.rtp import Packet, Reception, RtpError, Stream, parse_packet

packets = st.builds(
    Packet,
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=200),
    st.booleans(),
)


@given(packets)
def test_what_is_written_is_read(packet: Packet) -> None:
    """A packet comes back from its bytes as it was."""
    assert parse_packet(bytes(packet)) == packet


@given(st.binary(max_size=64))
def test_garbage_is_a_packet_or_a_clear_error(data: bytes) -> None:
    """Whatever comes: a packet whose payload was in it, or `RtpError`."""
    try:
        assert parse_packet(data).payload in data
    except RtpError as error:
        assert str(error)


def test_sources_extension_and_padding_are_left_out() -> None:
    """RFC 3550 §5.1, §5.3.1: two contributing sources, an extension of one word, three bytes of padding."""
    header = bytes([0x80 | 0x20 | 0x10 | 2, 8]) + bytes(10)
    data = header + bytes(8) + b"\xbe\xde\x00\x01abcd" + b"sound" + b"\x00\x00\x03"
    assert parse_packet(data).payload == b"sound"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "fewer"),
        (b"\x80" * 11, "fewer"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x90" + bytes(11), "extension is cut off"),
        (b"\x8f" + bytes(11), "beyond"),
        (b"\x90" + bytes(11) + b"\x00\x00\xff\xff", "beyond"),
        (b"\xa0" + bytes(11) + b"\xff", "beyond"),
        (b"\xa0" + bytes(11) + b"\x00", "beyond"),
    ],
)
def test_no_packet_says_why(data: bytes, why: str) -> None:
    """Too short, a wrong version, or parts that reach beyond the end."""
    with pytest.raises(RtpError, match=why):
        parse_packet(data)


def test_a_stream_counts_packets_and_samples_and_wraps() -> None:
    """Sequence numbers by one, timestamps by samples, both modulo their size; the first packet is marked."""
    stream = Stream(7, 0xFFFF, 0xFFFFFF60)
    first, second = (parse_packet(stream.packet(8, b"x" * 160, 160)) for _ in range(2))
    assert (first.sequence, first.timestamp, first.marker) == (0xFFFF, 0xFFFFFF60, True)
    assert (second.sequence, second.timestamp, second.marker) == (0, 0, False)
    assert first.ssrc == second.ssrc == 7


def test_what_comes_after_a_pause_is_marked() -> None:
    """Time goes on without packets, their numbers do not; what follows begins a talk spurt."""
    stream = Stream(7, 1, 0)
    stream.packet(0, b"", 160)
    stream.pause(480)
    after = parse_packet(stream.packet(0, b"", 160))
    assert (after.sequence, after.timestamp, after.marker) == (2, 640, True)


def test_an_event_keeps_the_time_of_its_begin() -> None:
    """RFC 4733: its packets are numbered on, and stand at one timestamp while time passes."""
    stream = Stream(7, 1, 1000)
    begin = stream.timestamp
    events = []
    for count in range(3):
        events.append(parse_packet(stream.event(101, b"\x01\x0a\x00\xa0", begin, marker=count == 0)))
        stream.pause(160, spurt=False)
    assert [(p.sequence, p.timestamp, p.marker) for p in events] == [
        (1, 1000, True),
        (2, 1000, False),
        (3, 1000, False),
    ]
    assert stream.timestamp == 1480


def of(sequence: int, ssrc: int = 1) -> Packet:
    """Return an empty packet."""
    return Packet(0, sequence, 0, ssrc, b"")


def test_a_reception_counts_what_came_and_what_did_not() -> None:
    """Over the wrap: in order, late, twice; what never came is lost."""
    reception = Reception()
    taken = [reception.take(of(n)) for n in (0xFFFE, 0xFFFF, 1, 0, 0, 3, 0xFFFF)]
    assert taken == [True, True, True, True, False, True, False]
    assert (reception.received, reception.lost) == (5, 1)


def test_another_source_begins_anew_and_keeps_the_count() -> None:
    """A peer that restarts its stream has lost nothing by that."""
    reception = Reception()
    for packet in (of(10), of(12), of(40000, 2), of(40001, 2), of(100, 2)):
        assert reception.take(packet)
    assert (reception.received, reception.lost) == (5, 1)


def test_a_long_stream_is_not_remembered_whole() -> None:
    """An hour of packets, each of them twice: counted once, with a bounded memory."""
    reception = Reception()
    for n in range(180_000):
        assert reception.take(of(n & 0xFFFF))
        if n % 1000 == 0:
            assert not reception.take(of((n - 5) & 0xFFFF)) or n == 0
    assert (reception.received, reception.lost) == (180_000, 0)
    assert len(reception._recent) < 10_000
