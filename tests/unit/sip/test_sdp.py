from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.sdp import Codec, Direction, Origin
from bridge.sip.sdpread import MAX_MEDIA, MAX_SIZE, parse_session, session_in

LINPHONE = b"""v=0
o=anna 3747 461 IN IP4 192.0.2.10
s=Talk
c=IN IP4 192.0.2.10
b=AS:380
t=0 0
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
m=audio 7078 RTP/AVP 96 8 0 101 97
i=voice
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=fmtp:101 0-16
a=rtpmap:101 telephone-event/8000
a=rtpmap:97 telephone-event/48000
a=rtcp-fb:* trr-int 5000
a=sendonly
m=video 0 RTP/AVP 98
m=image 4000 udptl t38
c=IN IP6 2001:db8::1
a=T38FaxVersion:0
"""


def test_a_description_is_taken_apart() -> None:
    """A softphone's offer: where, what, which way; LF alone ends its lines."""
    session = parse_session(LINPHONE)
    assert session.origin == Origin("anna", "3747", 461, "192.0.2.10")
    audio, video, image = session.media
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == (
        "audio",
        7078,
        "RTP/AVP",
        ("96", "8", "0", "101", "97"),
    )
    assert audio.codecs == (
        Codec(96, "opus", 48000, 2, "useinbandfec=1"),
        Codec(8, "PCMA", 8000),
        Codec(0, "PCMU", 8000),
        Codec(101, "telephone-event", 8000, 1, "0-16"),
        Codec(97, "telephone-event", 48000),
    )
    assert session.host_of(audio) == "192.0.2.10" and session.way_of(audio) is Direction.SEND
    assert video.port == 0 and video.codecs == ()
    assert (image.rtp, image.formats, session.host_of(image)) == (False, ("t38",), "2001:db8::1")


def test_what_is_not_understood_is_written_back() -> None:
    """Every line comes back, in the order of RFC 4566 §5; static payload types get the map that they may have."""
    session = parse_session(LINPHONE)
    written = bytes(session).decode()
    given = set(LINPHONE.decode().splitlines())
    assert set(written.split("\r\n")) - given == {"", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000"}
    assert given <= set(written.split("\r\n"))
    assert [line[0] for line in written.split("m=")[0].split("\r\n") if line] == list("voscbta")
    assert written.split("m=")[1].split("\r\n")[1] == "i=voice"
    assert parse_session(bytes(session)) == session


def test_a_description_is_passed_on_with_another_address() -> None:
    """What a relay does: other places, all else as it was."""
    session = parse_session(LINPHONE)
    moved = replace(
        session, host="10.0.0.1", media=tuple(replace(m, port=m.port and 5000, host=None) for m in session.media)
    )
    read = parse_session(bytes(moved))
    assert [(read.host_of(m), m.port) for m in read.media] == [("10.0.0.1", 5000), ("10.0.0.1", 0), ("10.0.0.1", 5000)]
    assert read.media[0].codecs == session.media[0].codecs


def test_an_address_of_zeros_holds() -> None:
    """RFC 3264 §8.4, RFC 2543: 0.0.0.0 means that nothing is to be sent there."""
    session = replace(parse_session(LINPHONE), host="0.0.0.0")
    both = replace(session.media[0], way=Direction.BOTH)
    assert session.way_of(both) is Direction.SEND
    assert session.way_of(replace(both, way=Direction.RECEIVE)) is Direction.NONE


BASE = "v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nt=0 0\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begin with v=0"),
        ("v=1\n", "begin with v=0"),
        ("s=-\n", "begin with v=0"),
        ("v=0\ns=-\n", "lines o= and s="),
        ("v=0\no=- 1 1 IN IP4\ns=-\n", "o="),
        (BASE + "hello\n", "small letter"),
        (BASE + "A=x\n", "small letter"),
        (BASE + "c=IN IP4\n", "c="),
        (BASE + "c=IN IP5 10.0.0.1\n", "c="),
        (BASE + "c=IN IP4 10.0.0.1\x00\n", "address"),
        (BASE + "m=audio\n", "m="),
        (BASE + "m=audio 70000 RTP/AVP 0\n", "m="),
        (BASE + "m=audio -1 RTP/AVP 0\n", "m="),
        (BASE + "m=audio ４０ RTP/AVP 0\n", "m="),
        (BASE + "m=audio 4000 RTP/AVP\n", "m="),
        (BASE + "m=audio 4000 RTP/AVP x\n", "below 128"),
        (BASE + "m=audio 4000 RTP/AVP 128\n", "below 128"),
        (BASE + "m=audio 4000 RTP/AVP 96\na=rtpmap:96\n", "rtpmap"),
        (BASE + "m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus\n", "rtpmap"),
        (BASE + "m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/x\n", "rtpmap"),
        (BASE + "m=audio 4000 RTP/AVP 96\na=rtpmap:196 opus/8000\n", "at most 127"),
        (BASE + "m=audio 4000 RTP/AVP 0\n" * (MAX_MEDIA + 1), "over 32 media"),
        (BASE + "a=x\n" * MAX_SIZE, "bytes"),
    ],
)
def test_what_is_no_description_is_refused_with_its_line(text: str, why: str) -> None:
    """The message names what was wrong and what would be right."""
    with pytest.raises(SipError, match=why):
        parse_session(text.encode())


def test_odd_but_harmless_lines_are_taken() -> None:
    """A version that is no number, multicast's slashes, a port's count, an empty name, fmtp of nothing known."""
    session = parse_session(
        b"v=0\r\no=x y z IN IP4 host.example\r\ns=\r\nc=IN IP4 224.2.1.1/127\r\nt=0 0\r\n"
        b"m=audio 4000/2 RTP/AVP 0 0 77\r\na=fmtp:77 x\r\na=fmtp:zz x\r\na=\r\n"
    )
    audio = session.media[0]
    assert session.origin.version == 0 and session.host == "224.2.1.1" and session.name == "-"
    assert audio.port == 4000 and audio.codecs == (Codec(0, "PCMU", 8000),)
    assert audio.lines == (("a", "fmtp:77 x"), ("a", "fmtp:zz x"), ("a", ""))


def test_a_body_of_another_type_is_refused() -> None:
    """415 is its answer; no body is no description; the type's case and parameters do not matter."""
    assert session_in(None) is None
    assert session_in(Body("Application/SDP ; charset=utf-8", LINPHONE)) is not None
    with pytest.raises(SipError, match="must be application/sdp") as caught:
        session_in(Body("text/plain", b"v=0"))
    assert caught.value.status == 415


@given(st.binary(max_size=200) | st.text(alphabet="vosctam=0 1IN4P.:/\n", max_size=200).map(str.encode))
def test_garbage_never_does_more_than_be_refused(data: bytes) -> None:
    """Whatever comes: a description that can be written and read again, or `SipError`."""
    try:
        session = parse_session(b"v=0\no=- 1 1 IN IP4 h\ns=-\n" + data)
    except SipError:
        return
    assert parse_session(bytes(session)) == session
