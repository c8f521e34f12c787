"""RFC 4475 §3.2, §3.3 and §3.4: messages that ask something of those above the parser, and one from before RFC 3261."""

from __future__ import annotations

from bridge.sip.flow import Flow
from bridge.sip.message import Request, response_to
from tests.support.lab import ANSWER, answers
from tests.support.torture import STRANGER, TRUNK, House, message, sdp

TRUNK_BY_TCP = Flow("tcp", TRUNK.host, 40000)


def test_badbranch() -> None:
    """§3.2.1: a branch that begins as RFC 3261 has it and names nothing: told apart as RFC 2543 did. OPTIONS: 200."""
    badbranch = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.org;tag=33242
        Max-Forwards: 3
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK
        Accept: application/sdp
        Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n
        CSeq: 8 OPTIONS
        l: 0
        """
    )
    house = House()
    assert house.codes(badbranch) == [200]
    assert house.codes(badbranch.replace(b"badbranch.", b"another.")) == [200]


def test_insuf() -> None:
    """§3.3.1: no Call-ID, From or To: 400 with what there is."""
    insuf = message(
        """
        INVITE sip:user@example.com SIP/2.0
        CSeq: 193942 INVITE
        Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
        Content-Type: application/sdp
        l: 152
        """,
        sdp("192.0.2.95"),
    )
    house = House()
    (answer,) = house.told(insuf, TRUNK)
    assert answer.code == 400 and "To" not in answer.headers and answer.cseq.sequence == 193942
    assert house.silent


def test_unkscm() -> None:
    """§3.3.2: a Request-URI of a scheme that nobody knows: 416."""
    unkscm = message(
        """
        OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=384
        Max-Forwards: 3
        Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34
        CSeq: 3923423 OPTIONS
        Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
        Content-Length: 0
        """
    )
    assert House().codes(unkscm, TRUNK_BY_TCP) == [416]


def test_novelsc() -> None:
    """§3.3.3: a Request-URI of a scheme that exists, but not for us: 416."""
    novelsc = message(
        """
        OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=384
        Max-Forwards: 3
        Call-ID: novelsc.asdfasser0q239nwsdfasdkl34
        CSeq: 3923423 OPTIONS
        Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
        Content-Length: 0
        """
    )
    assert House().codes(novelsc, TRUNK_BY_TCP) == [416]


def test_unksm2() -> None:
    """§3.3.4: To must be a SIP URI where somebody registers: 400, for a 416 would speak of the Request-URI."""
    unksm2 = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: isbn:2983792873
        From: <http://www.example.com>;tag=3234233
        Call-ID: unksm2.daksdj@hyphenated-host.example.com
        CSeq: 234902 REGISTER
        Max-Forwards: 70
        Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
        Contact: <name:John_Smith>
        l: 0
        """
    )
    assert House().codes(unksm2) == [400]


def test_bext01() -> None:
    """§3.3.5: Require names what nobody supports: 420, naming it. Proxy-Require does not concern us."""
    bext01 = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:j_user@example.com
        From: sip:caller@example.net;tag=242etr
        Max-Forwards: 6
        Call-ID: bext01.0ha0isndaksdj
        Require: nothingSupportsThis, nothingSupportsThisEither
        Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis
        CSeq: 8 OPTIONS
        Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw
        Content-Length: 0
        """
    )
    (answer,) = House().told(bext01, TRUNK_BY_TCP)
    assert answer.code == 420
    assert answer.tokens("Unsupported") == ["nothingsupportsthis", "nothingsupportsthiseither"]


def test_invut() -> None:
    """§3.3.6: an offer in a format that nobody knows: 415, naming what is."""
    invut = message(
        """
        INVITE sip:user@example.com SIP/2.0
        Contact: <sip:caller@host5.example.net>
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=8392034
        Max-Forwards: 70
        Call-ID: invut.0ha0isndaksdjadsfij34n23d
        CSeq: 235448 INVITE
        Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
        Content-Type: application/unknownformat
        Content-Length: 40
        """,
        """
        <audio>
         <pcmu port="443"/>
        </audio>
        """,
    )
    house = House()
    (answer,) = house.told(invut, TRUNK)
    assert answer.code == 415 and answer.get("Accept") == "application/sdp" and house.silent


def test_regaut01() -> None:
    """§3.3.7: credentials of a scheme that nobody knows are none: 401 with a challenge."""
    regaut01 = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: sip:j.user@example.com
        From: sip:j.user@example.com;tag=87321hj23128
        Max-Forwards: 8
        Call-ID: regaut01.0ha0isndaksdj
        CSeq: 9338 REGISTER
        Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw
        Authorization: NoOneKnowsThisScheme opaque-data=here
        Content-Length:0
        """
    )
    (answer,) = House(registers="j.user").told(regaut01, TRUNK_BY_TCP)
    assert answer.code == 401 and answer.need("WWW-Authenticate").startswith("Digest ")


def test_multi01() -> None:
    """§3.3.8: two of what there must be one of: 400."""
    multi01 = message(
        """
        INVITE sip:user@company.com SIP/2.0
        Contact: <sip:caller@host25.example.net>
        Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
        Max-Forwards: 70
        CSeq: 5 INVITE
        Call-ID: multi01.98asdh@192.0.2.1
        CSeq: 59 INVITE
        Call-ID: multi01.98asdh@192.0.2.2
        From: sip:caller@example.com;tag=3413415
        To: sip:user@example.com
        To: sip:other@example.net
        From: sip:caller@example.net;tag=2923420123
        Content-Type: application/sdp
        l: 154
        Contact: <sip:caller@host36.example.net>
        Max-Forwards: 5
        """,
        sdp("192.0.2.25"),
    )
    house = House()
    assert house.codes(multi01, TRUNK) == [400] and house.silent


def test_mcl01() -> None:
    """§3.3.9: two lengths of one body: 400. (On a stream they end the connection.)"""
    mcl01 = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
        To: sip:user@example.com
        From: sip:other@example.net;tag=3923942
        Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf
        CSeq: 15932 OPTIONS
        Content-Length: 13
        Max-Forwards: 60
        Content-Length: 5
        Content-Type: text/plain
        """,
        "There's no way to know how many octets are supposed to be here.\n",
    )
    assert House().codes(mcl01) == [400]


def test_bcast() -> None:
    """§3.3.10: a response with a second Via, of the broadcast address, is not for us: dropped, even to our own call."""
    bcast = message(
        """
        SIP/2.0 200 OK
        Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
        Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
        Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
        CSeq: 35 INVITE
        From: sip:user@example.com;tag=11141343
        To: sip:user@example.edu;tag=2229
        Content-Length: 154
        Content-Type: application/sdp
        Contact: <sip:user@host28.example.com>
        """,
        sdp("192.0.2.198"),
    )
    house = House()
    assert house.told(bcast) == []
    house.lab["c1"].call("201")
    ours = response_to(house.rung, 200, to_tag="x")
    ours.put(ANSWER)
    ours.headers["Via"].append("SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23")
    house.told(bytes(ours), Flow("udp", "10.0.0.1", 5060))
    assert "200 INVITE" not in house.lab.to("c1") and "ACK" not in house.lab.to("m1")


def test_zeromf() -> None:
    """§3.3.11: no more hops are allowed, but we are where it was going. An OPTIONS: 200."""
    zeromf = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=3ghsd41
        Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas
        CSeq: 39234321 OPTIONS
        Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i
        Max-Forwards: 0
        Content-Length: 0
        """
    )
    assert House().codes(zeromf) == [200]


def test_cparam01() -> None:
    """§3.3.12: a parameter that nobody knows, of the Contact, not of its URI: registered without it."""
    cparam01 = message(
        """
        REGISTER sip:example.com SIP/2.0
        Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
        Max-Forwards: 70
        From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe
        To: sip:watson@example.com
        Call-ID: cparam01.70710@saturn.example.com
        CSeq: 2 REGISTER
        Contact: sip:+19725552222@gw1.example.net;unknownparam
        l: 0
        """
    )
    answer = House(registers="watson").registered(cparam01)
    assert answer.code == 200 and answer.contact == "sip:+19725552222@gw1.example.net"


def test_cparam02() -> None:
    """§3.3.13: a parameter that nobody knows, of the URI: registered with it, for it is the phone's own."""
    cparam02 = message(
        """
        REGISTER sip:example.com SIP/2.0
        Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
        Max-Forwards: 70
        From: sip:watson@example.com;tag=838293
        To: sip:watson@example.com
        Call-ID: cparam02.70710@saturn.example.com
        CSeq: 3 REGISTER
        Contact: <sip:+19725552222@gw1.example.net;unknownparam>
        l: 0
        """
    )
    answer = House(registers="watson").registered(cparam02)
    assert answer.code == 200 and answer.contact == "sip:+19725552222@gw1.example.net;unknownparam"


def test_regescrt() -> None:
    """§3.3.14: headers in a Contact's URI: registered without them, for phones do not write our headers (§19.1.5)."""
    regescrt = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: sip:user@example.com
        From: sip:user@example.com;tag=8
        Max-Forwards: 70
        Call-ID: regescrt.k345asrl3fdbv@192.0.2.1
        CSeq: 14398234 REGISTER
        Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
        M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>
        L:0
        """
    )
    house = House(registers="user")
    answer = house.registered(regescrt)
    assert answer.code == 200 and answer.contact == "sip:user@example.com"
    house.lab.add("phone", (STRANGER.host, STRANGER.port))
    house.lab["c1"].call("user")
    (invite,) = house.lab["phone"].invites
    assert invite.uri == "sip:user@example.com" and "Route" not in invite.headers


def test_sdp01() -> None:
    """§3.3.15: the caller takes no session description in our answer, so none can be given: 406."""
    sdp01 = message(
        """
        INVITE sip:user@example.com SIP/2.0
        To: sip:j_user@example.com
        Contact: <sip:caller@host15.example.net>
        From: sip:caller@example.net;tag=234
        Max-Forwards: 5
        Call-ID: sdp01.ndaksdj9342dasdd
        Accept: text/nobodyKnowsThis
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
        Content-Length: 150
        Content-Type: application/sdp
        """,
        sdp("192.0.2.5"),
    )
    house = House()
    assert house.codes(sdp01, TRUNK) == [406] and house.silent


def test_inv2543() -> None:
    """§3.4.1: an INVITE of RFC 2543, without branch, From tag, Contact, Content-Length: it rings, talks and ends."""
    inv2543 = message(
        """
        INVITE sip:UserB@example.com SIP/2.0
        Via: SIP/2.0/UDP iftgw.example.com
        From: <sip:+13035551111@ift.client.example.net;user=phone>
        Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
        To: sip:+16505552222@ss1.example.net;user=phone
        Call-ID: inv2543.1717@ift.client.example.com
        CSeq: 56 INVITE
        Content-Type: application/sdp
        """,
        "v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.5\ns=-\nc=IN IP4 192.0.2.5\nt=0 0\nm=audio 49217 RTP/AVP 0\n",
    )
    house = House()
    house.lab["m1"].on_invite = answers
    assert house.codes(inv2543, TRUNK)[0] == 100
    house.lab.run(0)
    (ok,) = [p.message for p in house.lab.wire if p.name == "200 INVITE" and p.target == (TRUNK.host, 5060)]
    assert ok.need("Record-Route") == "<sip:UserB@example.com;maddr=ss1.example.com>"
    ack = inv2543.replace(b"56 INVITE", b"56 ACK").replace(b"INVITE sip", b"ACK sip").partition(b"Content-Type")[0]
    ack = ack.replace(b"\r\nCall-ID", f";tag={ok.to_tag}\r\nCall-ID".encode()) + b"\r\n"
    assert house.told(ack, TRUNK) == []
    house.lab["m1"].leg.hang_up(None, house.lab.now)
    house.lab.run(0)
    bye = next(p for p in house.lab.wire if p.name == "BYE" and p.source[0] == "10.0.0.100")
    assert isinstance(bye.message, Request)
    assert bye.target == ("ss1.example.com", 5060)
    assert bye.message.uri == "sip:UserB@example.com;maddr=ss1.example.com", "a strict router finds itself there"
    assert bye.message.all("Route") == ["<sip:+13035551111@ift.client.example.net;user=phone>"]
