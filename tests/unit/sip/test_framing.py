import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sip.framing import MAX_BODY, PING, StreamFramer
from bridge.sip.reading import MAX_HEAD

OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
MESSAGE = b"MESSAGE sip:a@b SIP/2.0\r\nl :\t5 \r\nCall-ID: 2\r\n\r\nhello"
FOLDED = b"SIP/2.0 200 OK\r\nSubject: x\r\n Content-Length: 9\r\ncontent-LENGTH:\r\n 4\r\n\r\n\r\n\r\n"
BARE = b"BYE sip:a@b SIP/2.0\r\nCall-ID: 3\r\n\r\n"


def test_messages_end_where_their_content_length_says() -> None:
    """Long and compact form, any case, folded, white space before the colon; none at all means no body."""
    framer = StreamFramer()
    assert framer.feed(OPTIONS + MESSAGE + FOLDED + BARE) == [OPTIONS, MESSAGE, FOLDED, BARE]
    assert framer.broken is None and not framer.pending


def test_two_line_ends_are_a_ping_and_one_is_nothing() -> None:
    """RFC 5626 §3.5.1: CRLF CRLF between messages wants an answer, a single CRLF is one."""
    assert StreamFramer().feed(PING + OPTIONS + b"\r\n" + BARE + PING + PING) == [PING, OPTIONS, BARE, PING, PING]


def test_a_started_message_is_pending_but_a_lone_line_end_is_not() -> None:
    """Whoever starts a message has to end it; who answers a ping has not started one."""
    framer = StreamFramer()
    pending = []
    for piece in (b"\r\n", OPTIONS[:5], OPTIONS[5:]):
        framer.feed(piece)
        pending.append(framer.pending)
    assert pending == [False, True, False]


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "start line"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "start line"),
        (b"BYE sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n", "one number"),
        (b"BYE sip:a@b SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n", "one number"),
        (b"BYE sip:a@b SIP/2.0\r\nContent-Length: 9999999999\r\n\r\n", "one number"),
        (b"BYE sip:a@b SIP/2.0\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), "over"),
        (b"BYE sip:a@b SIP/2.0\r\nX: " + b"x" * MAX_HEAD, "over"),
    ],
)
def test_what_cannot_be_framed_ends_the_stream(stream: bytes, why: str) -> None:
    """The messages before it still come out; the reason is told; nothing comes out any more."""
    framer = StreamFramer()
    assert framer.feed(OPTIONS + stream) == [OPTIONS]
    assert framer.broken is not None and why in framer.broken
    assert framer.feed(OPTIONS) == []


_pieces = st.sampled_from([OPTIONS, MESSAGE, FOLDED, BARE, PING, b"\r\n", b"GET / HTTP/1.1\r\n\r\n"])


@given(st.lists(_pieces, max_size=8), st.data())
def test_any_split_gives_the_same_messages(pieces: list[bytes], data: st.DataObject) -> None:
    """How the network cuts the stream changes neither the messages nor whether it breaks."""
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    whole, split = StreamFramer(), StreamFramer()
    expected = whole.feed(stream)
    found = [item for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for item in split.feed(stream[a:b])]
    assert found == expected
    assert (split.broken, split.pending) == (whole.broken, whole.pending)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(noise: bytes) -> None:
    """Noise gives messages, waits, or breaks the stream; it never raises."""
    StreamFramer().feed(noise + PING + OPTIONS)


def test_bytes_that_come_one_by_one_cost_linear_time() -> None:
    """Twice the headers and body take about twice the time, not four times."""

    def seconds(size: int) -> float:
        message = (
            b"MESSAGE sip:a@b SIP/2.0\r\nX: " + b"x" * size + b"\r\nContent-Length: %d\r\n\r\n" % size + b"y" * size
        )
        framer = StreamFramer()
        start = time.process_time()
        items = [item for at in range(len(message)) for item in framer.feed(message[at : at + 1])]
        assert items == [message]
        return time.process_time() - start

    seconds(1000)
    small = min(seconds(8_000) for _ in range(3))
    assert min(seconds(32_000) for _ in range(3)) < small * 12
