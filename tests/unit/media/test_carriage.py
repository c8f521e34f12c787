"""Session descriptions on their way through the relay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.media.carriage import Carriage, Told, described, reads
from bridge.media.choice import Party
from bridge.media.model import CALLER, MEMBER, Path
from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.sdp import Direction, Session
from bridge.sip.sdpread import session_in
from tests.support.ways import ToldMedia, ToldRelay

PHONE = Party("192.0.2.31", "192.0.2.20", says="192.0.2.31", phone=True)
FAR = Party("198.51.100.7", "203.0.113.1", says="10.0.0.5", phone=True)


def sdp(*lines: str, host: str = "192.0.2.31", version: int = 1) -> Body:
    """Return a description; without lines one of A-law and keys at port 4000."""
    media = lines or ("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000")
    head = ("v=0", f"o=phone 77 {version} IN IP4 {host}", "s=talk", f"c=IN IP4 {host}", "t=0 0")
    return Body("application/sdp", "".join(f"{line}\r\n" for line in (*head, *media)).encode())


def far(*lines: str, **more: int) -> Body:
    """Return a description of the phone behind NAT."""
    return sdp(*lines, host="10.0.0.5", **more)


def carriage(pairs: int = 100, caller: Party = PHONE, member: Party = FAR) -> tuple[Carriage, ToldRelay]:
    """Return a carriage between two parties, and its relay."""
    relay = ToldMedia(pairs).open()
    assert relay is not None
    return Carriage(relay, (caller, member), (Told("111"), Told("222"))), relay


def read(body: Body) -> Session:
    """Return a description."""
    session = session_in(body)
    assert session is not None
    return session


def text(body: Body) -> list[str]:
    """Return a description's lines."""
    return body.data.decode().splitlines()


def test_each_side_is_told_our_address_and_ports() -> None:
    """The offer goes on with the member's port of the relay, the answer with the caller's."""
    way, relay = carriage()
    offer = way.offer(CALLER, sdp())
    assert text(offer) == [
        "v=0",
        "o=- 222 1 IN IP4 203.0.113.1",
        "s=talk",
        "c=IN IP4 203.0.113.1",
        "t=0 0",
        "m=audio 20002 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:0 PCMU/8000",
    ]
    assert not relay.paths
    answer = way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20"))
    assert text(answer)[1:] == [
        "o=- 111 1 IN IP4 192.0.2.20",
        "s=talk",
        "c=IN IP4 192.0.2.20",
        "t=0 0",
        "m=audio 20000 RTP/AVP 8 101",
        "a=ptime:20",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
    ]


def test_a_side_is_heard_from_where_it_signals_when_it_is_behind_nat() -> None:
    """Else from the address that its description names, which a PBX's own is not always."""
    way, relay = carriage()
    way.offer(CALLER, sdp())
    way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8", "a=rtcp:9100 IN IP4 10.0.0.5"))
    assert relay.paths == {
        (0, CALLER): Path("192.0.2.31", 4000, 4001),
        (0, MEMBER): Path("198.51.100.7", 9000, 9100, follows=True),
    }
    way, relay = carriage(member=Party("192.0.2.1", "192.0.2.20", trunk="pbx"))
    way.offer(CALLER, sdp())
    way.answer(MEMBER, sdp("m=audio 9000 RTP/AVP 8", host="192.0.2.99"))
    assert relay.paths[0, MEMBER] == Path("192.0.2.99", 9000, 9001)


def test_versions_rise_with_what_is_said_and_with_nothing_else() -> None:
    """One id for each leg over all its offers and answers; a refresh that changes nothing keeps its version."""
    way, _ = carriage()
    told = [way.offer(CALLER, sdp()), way.offer(CALLER, sdp())]
    own = [way.answer(MEMBER, far())]
    told.append(way.offer(CALLER, sdp("m=audio 4000 RTP/AVP 8", "a=sendonly", version=2)))
    own.append(way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8", "a=recvonly", version=5)))
    own.append(way.offer(MEMBER, far("m=audio 9000 RTP/AVP 8", "a=recvonly", version=5)))
    told.append(way.answer(CALLER, sdp("m=audio 4000 RTP/AVP 8", "a=sendonly", version=2)))
    assert [(read(body).origin.session, read(body).origin.version) for body in told] == [
        ("222", 1),
        ("222", 1),
        ("222", 2),
        ("222", 3),
    ]
    assert [(read(body).origin.session, read(body).origin.version) for body in own] == [
        ("111", 1),
        ("111", 2),
        ("111", 3),
    ]


def test_a_refused_offer_leaves_the_talk_as_it_was() -> None:
    """What the relay carries changes with the answer alone; the next answer belongs to the next offer."""
    way, relay = carriage()
    way.offer(CALLER, sdp())
    way.answer(MEMBER, far())
    before = dict(relay.paths)
    way.offer(CALLER, sdp("m=audio 5000 RTP/AVP 8"))
    assert relay.paths == before
    way.offer(MEMBER, far("m=audio 9500 RTP/AVP 8"))
    way.answer(CALLER, sdp("m=audio 6000 RTP/AVP 8"))
    paths = (relay.paths[0, CALLER], relay.paths[0, MEMBER])
    assert [path and path.port for path in paths] == [6000, 9500]


def test_hold_of_old_becomes_a_direction() -> None:
    """c=0.0.0.0 means that nothing is to be sent there: our address says so by attribute, and nothing is sent."""
    way, relay = carriage()
    way.offer(CALLER, sdp())
    way.answer(MEMBER, far())
    held = read(way.offer(CALLER, sdp("m=audio 4000 RTP/AVP 8", host="0.0.0.0")))
    assert held.media[0].way is Direction.SEND and held.host == "203.0.113.1"
    way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8", "a=recvonly"))
    path = relay.paths[0, CALLER]
    assert path is not None and path.port == 0


@pytest.mark.parametrize("way", ["sendonly", "recvonly", "inactive", "sendrecv"])
def test_directions_go_on(way: str) -> None:
    """Of the session and of its media."""
    for lines in ([f"a={way}", "m=audio 4000 RTP/AVP 8"], ["m=audio 4000 RTP/AVP 8", f"a={way}"]):
        session = read(carriage()[0].offer(CALLER, sdp(*lines)))
        assert session.way_of(session.media[0]).value == way


def test_addresses_of_the_other_side_are_left_out() -> None:
    """ICE candidates and a=rtcp name addresses that are not ours; keys of SRTP, feedback and bandwidth go on."""
    way, _ = carriage()
    offer = way.offer(
        CALLER,
        sdp(
            "a=ice-lite",
            "a=ice-ufrag:abc",
            "a=group:BUNDLE 0",
            "m=audio 4000 RTP/SAVP 8",
            "b=AS:80",
            "a=rtcp:4009 IN IP4 192.0.2.31",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            "a=candidate:1 1 UDP 2130706431 192.0.2.31 4000 typ host",
            "a=end-of-candidates",
            "a=rtcp-mux",
            "a=rtcp-fb:* nack",
        ),
    )
    rest = text(offer)[5:]
    assert rest == [
        "m=audio 20002 RTP/SAVP 8",
        "b=AS:80",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
        "a=rtcp-mux",
        "a=rtcp-fb:* nack",
        "a=rtpmap:8 PCMA/8000",
    ]
    assert b"192.0.2.31" not in offer.data


def test_a_door_station_shows_its_picture() -> None:
    """Video goes on unread, at ports of its own; what is not carried by UDP is refused."""
    way, relay = carriage()
    video = ("m=video 4002 RTP/AVP 99", "a=rtpmap:99 H264/90000", "a=fmtp:99 packetization-mode=1")
    offer = read(
        way.offer(CALLER, sdp("m=audio 4000 RTP/AVP 8", *video, "m=message 5 TCP/MSRP *", "m=image 6 udptl t38"))
    )
    assert [media.port for media in offer.media] == [20002, 20006, 0, 20010]
    assert offer.media[1].codecs[0].parameters == "packetization-mode=1"
    answer = way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8", "m=video 9002 RTP/AVP 99", "a=rtpmap:99 H264/90000"))
    assert [media.port for media in read(answer).media] == [20000, 20004, 0, 0]
    ports = {key: path and path.port for key, path in relay.paths.items() if path}
    assert ports == {(0, CALLER): 4000, (0, MEMBER): 9000, (1, CALLER): 4002, (1, MEMBER): 9002}


def test_a_stream_that_finds_no_ports_is_refused() -> None:
    """The first has its ports from the begin; a picture may go without."""
    way, _ = carriage(pairs=3)
    offer = read(way.offer(CALLER, sdp("m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 99")))
    assert [media.port for media in offer.media] == [20002, 0]
    answer = read(way.answer(MEMBER, far("m=audio 9000 RTP/AVP 8", "m=video 9002 RTP/AVP 99")))
    assert [media.port for media in answer.media] == [20000, 0]


def test_a_late_offer_goes_the_other_way_round() -> None:
    """The member's 200 brings the offer, the caller's ACK the answer."""
    way, relay = carriage()
    assert read(way.offer(MEMBER, far())).media[0].port == 20000
    assert read(way.answer(CALLER, sdp())).media[0].port == 20002
    assert relay.paths[0, CALLER] == Path("192.0.2.31", 4000, 4001)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (Body("application/sdp", b"no description"), 400),
        (Body("application/sdp", b"v=0\r\n"), 400),
        (Body("text/plain", b"v=0\r\n"), 415),
        (sdp("m=audio 4000 RTP/AVP"), 400),
        (sdp("m=audio 4000 RTP/AVP 8", "c=IN IP4"), 400),
        (Body("multipart/mixed;boundary=x", b"--x--"), 415),
    ],
)
def test_what_cannot_be_read_is_an_error(body: Body, status: int) -> None:
    """With the status to answer, whether it is an offer or an answer; the talk stays as it was."""
    way, relay = carriage()
    with pytest.raises(SipError) as failure:
        way.offer(CALLER, body)
    assert failure.value.status == status
    way.offer(CALLER, sdp())
    with pytest.raises(SipError):
        way.answer(MEMBER, body)
    assert not relay.paths and reads(body) is None


def test_an_answer_without_an_offer_is_an_error() -> None:
    """It comes from a peer that is confused."""
    with pytest.raises(SipError):
        carriage()[0].answer(MEMBER, far())


@given(
    st.lists(
        st.sampled_from(
            sdp().data.splitlines()
            + [
                b"m=video 1/2 RTP/AVP 9 300",
                b"a=rtcp:x",
                b"c=IN IP6 ::",
                b"a=rtpmap:8",
                b"m=audio 0 a b",
                b"\xff=",
                b"a=fmtp:8 \xfe",
            ]
        )
    ),
    st.binary(max_size=40),
)
def test_garbage_is_refused_or_carried_and_nothing_else(lines: list[bytes], tail: bytes) -> None:
    """Whatever comes: an error with a status, or a description that can be read again."""
    way, _ = carriage()
    body = Body("application/sdp", b"v=0\r\no=a 1 1 IN IP4 1.2.3.4\r\ns=-\r\n" + b"\r\n".join(lines) + tail)
    try:
        offered = read(way.offer(CALLER, body))
        answered = read(way.answer(MEMBER, body))
    except SipError as error:
        assert 400 <= error.status < 600
    else:
        assert len(offered.media) == len(answered.media)


@pytest.mark.parametrize(
    ("body", "host"),
    [
        (sdp(), "192.0.2.31"),
        (sdp("m=video 0 RTP/AVP 9", "m=audio 4000 RTP/AVP 8", "c=IN IP4 192.0.2.77"), "192.0.2.77"),
        (sdp(host="0.0.0.0"), None),
        (None, None),
    ],
)
def test_where_a_side_says_that_it_is(body: Body | None, host: str | None) -> None:
    """The address of the first stream that is wanted."""
    assert described(body) == host
