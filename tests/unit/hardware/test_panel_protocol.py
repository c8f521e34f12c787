"""Frames: what stands on a line between a panel and the bridge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.panel_protocol import LONGEST, Lines, read, whole, write

LONGEST_LINE = write(1, "x", (("k", "v" * (LONGEST - 12)),))
HELLO = write(0, "hello", (("proto", 1), ("fw", "1.0"), ("id", "e6614c311b7e2c2f"), ("keys", 64), ("lamps", 64)))


def test_a_frame_is_a_line_with_a_sum_behind_it() -> None:
    """SEQ VERB key=value...*CCCC: the low 16 bits of the CRC-32 of all before the star."""
    assert write(12, "down", (("key", 3), ("age", 40))) == b"12 down key=3 age=40*A50E\n"


def test_what_was_written_is_read_again() -> None:
    """SEQ, verb, fields; numbers in decimal or hex, -1 for what is none."""
    frame = read(b"12 down key=3 age=40*A50E")
    assert frame is not None
    assert (frame.seq, frame.verb, frame.fields) == (12, "down", {"key": "3", "age": "40"})
    assert [frame.number("key"), frame.number("age", 16), frame.number("none")] == [3, 0x40, -1]
    assert [whole(text) for text in ("", "-1", "1_0", " 1", "٣", "1" * 17, "007")] == [-1] * 6 + [7]


@pytest.mark.parametrize(
    "line",
    [
        write(0, "beat"),
        write(12, "down", (("key", 3), ("age", 40))),
        write(7, "lamp", (("n", 12), ("show", "off"))),
        HELLO,
        LONGEST_LINE,
    ],
    ids=["beat", "down", "lamp", "hello", "longest"],
)
def test_a_frame_with_one_wrong_bit_is_never_taken_for_another(line: bytes) -> None:
    """Every bit of every byte, the line's end too: nothing is read but, at most, the frame that comes after it."""
    assert len(line) <= LONGEST
    for bit in range(len(line) * 8):
        damaged = bytearray(line)
        damaged[bit // 8] ^= 1 << bit % 8
        lines = Lines()
        found = lines.feed(bytes(damaged) + b"\n" + write(9, "beat"))
        assert [frame.seq for frame in found] == [9], damaged
        assert lines.damaged >= 1


@given(st.lists(st.integers(1, 40), max_size=10))
def test_frames_are_whole_however_they_were_cut_on_their_way(cuts: list[int]) -> None:
    """Byte by byte, or several at once: the same frames."""
    data = b"".join(write(seq, "down", (("key", seq), ("age", 0))) for seq in range(1, 6))
    lines, found = Lines(), []
    for size in [*cuts, len(data)]:
        found += lines.feed(data[:size])
        data = data[size:]
    assert [frame.seq for frame in found] == [1, 2, 3, 4, 5]
    assert lines.damaged == 0


@given(st.binary(max_size=600))
def test_garbage_is_skipped_to_the_next_line(garbage: bytes) -> None:
    """Whatever stands before it, a frame on a line of its own is read, and nothing is kept of what was not."""
    lines = Lines()
    lines.feed(garbage)
    assert [frame.verb for frame in lines.feed(b"\n" + write(3, "up", (("key", 1), ("age", 5))))][-1:] == ["up"]


def test_a_line_without_end_is_not_kept() -> None:
    """A panel that sends a megabyte without a line's end costs 120 bytes and one damaged line."""
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(b"x" * 1000) == []
    assert [frame.seq for frame in lines.feed(b"\n" + write(4, "beat"))] == [4]
    assert lines.damaged == 1


def test_lines_may_end_as_a_terminal_ends_them() -> None:
    """A carriage return before the line's end is no damage."""
    assert [frame.verb for frame in Lines().feed(write(0, "who")[:-1] + b"\r\n")] == ["who"]


@pytest.mark.parametrize(
    "body", ["", "1", "x who", "-1 who", "1  who", "1 who k", "1 who =v", "1 who k=\x7f", "1 who k=ü"]
)
def test_a_right_sum_does_not_make_a_frame(body: str) -> None:
    """What is no SEQ, verb and fields of printable ASCII is no frame."""
    from hardware.panel_protocol import check

    raw = body.encode()
    assert read(raw + b"*" + check(raw)) is None


def test_what_could_not_be_read_again_is_not_written() -> None:
    """Too long, or with a space in a value: a mistake of ours, told at once."""
    for value in ("x" * 110, "two words", "tab\t"):
        with pytest.raises(ValueError, match="no frame"):
            write(1, "x", (("k", value),))
