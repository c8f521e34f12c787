from dataclasses import replace

import pytest

from bridge.sip.grammar import SipError
from bridge.sip.offers import EVENTS, PCMA, PCMU, Local, agreed
from bridge.sip.sdp import Codec, Direction, Session
from bridge.sip.sdpread import parse_session

ANNA = Local("10.0.0.1", 4000, "77")
BEN = Local("10.0.0.2", 5000, "78", (PCMU, PCMA, EVENTS))


def offer(media: str) -> Session:
    """Return what a peer describes."""
    return parse_session(f"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n{media}".encode())


def test_an_offer_says_where_and_what() -> None:
    """Every codec with its map, both ways."""
    text = bytes(ANNA.offer()).decode()
    assert text == (
        "v=0\r\no=- 77 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 8 0 101\r\na=ptime:20\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
    )


def test_both_sides_agree_on_the_same() -> None:
    """The offerer's favourite, each sends where the other receives."""
    offered = ANNA.offer()
    answered = BEN.answer(offered)
    here, there = agreed(offered, answered), agreed(answered, offered)
    assert here.codec == there.codec == PCMA
    assert (here.host, here.port, there.host, there.port) == ("10.0.0.2", 5000, "10.0.0.1", 4000)
    assert here.events == there.events == EVENTS
    assert (here.sends, here.receives, there.sends, there.receives) == (True,) * 4


def test_an_answer_takes_over_the_offers_numbers() -> None:
    """RFC 3264 §6.1: telephone events as 97 are answered as 97, and mean that when they come."""
    offered = offer("m=audio 6000 RTP/AVP 9 0 97\r\na=rtpmap:97 telephone-event/8000\r\n")
    answered = ANNA.answer(offered)
    assert answered.media[0].formats == ("0", "97")
    settled = agreed(answered, offered)
    assert settled.codec == PCMU
    assert settled.events is not None and settled.events.payload == 97
    assert settled.incoming[97].name == "telephone-event"


def test_each_sends_by_the_others_numbers() -> None:
    """A peer that answers with another number than was offered gets its own, and ours still come in as ours."""
    offered = ANNA.offer()
    answered = offer("m=audio 6000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n")
    settled = agreed(offered, answered)
    assert settled.events is not None and settled.events.payload == 96
    assert settled.incoming[101].name == "telephone-event" and 96 not in settled.incoming


@pytest.mark.parametrize(
    ("offered", "wish", "answered"),
    [
        (Direction.BOTH, Direction.BOTH, Direction.BOTH),
        (Direction.SEND, Direction.BOTH, Direction.RECEIVE),
        (Direction.RECEIVE, Direction.BOTH, Direction.SEND),
        (Direction.NONE, Direction.BOTH, Direction.NONE),
        (Direction.BOTH, Direction.SEND, Direction.SEND),
        (Direction.SEND, Direction.SEND, Direction.NONE),
    ],
)
def test_a_direction_is_answered_as_is_due(offered: Direction, wish: Direction, answered: Direction) -> None:
    """RFC 3264 §6.1: hold is answered, and both holding means silence both ways."""
    given = ANNA.offer(2, offered)
    reply = BEN.answer(given, wish=wish)
    assert reply.way_of(reply.media[0]) is answered
    settled = agreed(reply, given)
    assert (settled.sends, settled.receives) == (answered.sends, answered.receives)


def test_every_offered_stream_is_answered_in_its_place() -> None:
    """RFC 3264 §6: the same number and order; what cannot be taken, or comes twice, is refused with port 0."""
    offered = offer(
        "m=video 6002 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\nm=audio 6004 RTP/SAVP 0\r\n"
        "m=audio 6000 RTP/AVP 8\r\nm=audio 6006 RTP/AVP 8\r\nm=image 6008 udptl t38\r\n"
    )
    answered = ANNA.answer(offered)
    assert [(m.kind, m.port, m.protocol) for m in answered.media] == [
        ("video", 0, "RTP/AVP"),
        ("audio", 0, "RTP/SAVP"),
        ("audio", 4000, "RTP/AVP"),
        ("audio", 0, "RTP/AVP"),
        ("image", 0, "udptl"),
    ]
    assert agreed(answered, offered).port == 6000


@pytest.mark.parametrize(
    "media",
    [
        "",
        "m=audio 0 RTP/AVP 8\r\n",
        "m=audio 6000 RTP/AVP 9 18\r\n",
        "m=audio 6000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
        "m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n",
        "m=video 6000 RTP/AVP 8\r\n",
    ],
)
def test_nothing_in_common_is_488(media: str) -> None:
    """No audio, none wanted, no codec of ours, events without a voice: the message says what is known here."""
    with pytest.raises(SipError, match="PCMA/8000, PCMU/8000") as caught:
        ANNA.answer(offer(media))
    assert caught.value.status == 488


def test_an_answer_that_takes_nothing_is_488() -> None:
    """A peer may answer with port 0, with fewer streams, or with what was not offered."""
    for media in ("m=audio 0 RTP/AVP 8\r\n", "", "m=audio 6000 RTP/AVP 9\r\n"):
        with pytest.raises(SipError, match="no audio in common") as caught:
            agreed(ANNA.offer(), offer(media))
        assert caught.value.status == 488


def test_media_go_to_ip_addresses_only() -> None:
    """A name would have to be resolved in the middle of a call; nothing is sent to what is none."""
    for host in ("phone.example", None):
        answer = replace(BEN.answer(ANNA.offer()), host=host)
        with pytest.raises(SipError, match="must be an IP address"):
            agreed(ANNA.offer(), answer)


def test_codecs_are_the_same_whatever_their_case() -> None:
    """RFC 4855 §3: names of encodings are compared without regard to case."""
    offered = offer("m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:8 pcma/8000\r\na=rtpmap:101 Telephone-Event/8000\r\n")
    settled = agreed(ANNA.answer(offered), offered)
    assert settled.codec == Codec(8, "pcma", 8000) and settled.events is not None
