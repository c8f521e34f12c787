"""RFC 4475 §3.1.2: messages that are not valid. Where the RFC leaves a choice, what has one meaning only is taken."""

from __future__ import annotations

from bridge.sip.flow import Flow
from tests.support.torture import TRUNK, House, message, sdp

TRUNK_BY_TCP = Flow("tcp", TRUNK.host, 40000)


def test_badinv01() -> None:
    """§3.1.2.1: separators with nothing between them, in Via and Contact: 400, by the host that the Via still names."""
    badinv01 = message(
        """
        INVITE sip:user@example.com SIP/2.0
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=134161461246
        Max-Forwards: 7
        Call-ID: badinv01.0ha0isndaksdjasdf3234nas
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP 192.0.2.15;;,;,,
        Contact: "Joe" <sip:joe@example.org>;;;;
        Content-Length: 152
        Content-Type: application/sdp
        """,
        sdp("192.0.2.15"),
    )
    house = House()
    assert house.codes(badinv01, TRUNK) == [400] and house.silent
    only_contact = badinv01.replace(b";;,;,,", b";branch=z9hG4bKgood")
    assert house.codes(only_contact, TRUNK) == [400] and house.silent


def test_clerr() -> None:
    """§3.1.2.2: the datagram ends before the body does: 400 (RFC 3261 §18.3)."""
    clerr = message(
        """
        INVITE sip:user@example.com SIP/2.0
        Max-Forwards: 80
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=93942939o2
        Contact: <sip:caller@hungry.example.net>
        Call-ID: clerr.0ha0isndaksdjweiafasdk3
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
        Content-Type: application/sdp
        Content-Length: 9999
        """,
        sdp("192.0.2.155"),
    )
    house = House()
    assert house.codes(clerr, TRUNK) == [400] and house.silent


def test_ncl() -> None:
    """§3.1.2.3: a length below zero: 400."""
    ncl = message(
        """
        INVITE sip:user@example.com SIP/2.0
        Max-Forwards: 254
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=32394234
        Call-ID: ncl.0ha0isndaksdj2193423r542w35
        CSeq: 0 INVITE
        Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
        Contact: <sip:caller@example53.example.net>
        Content-Type: application/sdp
        Content-Length: -999
        """,
        sdp("192.0.2.53"),
    )
    house = House()
    assert house.codes(ncl, TRUNK) == [400] and house.silent


def test_scalar02() -> None:
    """§3.1.2.4: a CSeq of 2^65: 400. With one that can be, what is too large elsewhere counts as the most we give."""
    scalar02 = message(
        f"""
        REGISTER sip:example.com SIP/2.0
        Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
        To: <sip:user@example.com>
        From: <sip:user@example.com>;tag=239232jh3
        CSeq: 36893488147419103232 REGISTER
        Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32
        Max-Forwards: 300
        Expires: 1{"0" * 100}
        Contact: <sip:user@host129.example.com>
          ;expires=280297596632815
        Content-Length: 0
        """
    )
    house = House(registers="user")
    assert house.codes(scalar02, TRUNK_BY_TCP) == [400]
    answer = house.registered(scalar02.replace(b"36893488147419103232", b"1"), TRUNK_BY_TCP)
    assert answer.code == 200 and answer.all("Contact") == ["<sip:user@host129.example.com>;expires=600"]


def test_scalarlg() -> None:
    """§3.1.2.5: a response with a CSeq that nobody can have sent: dropped."""
    scalarlg = message(
        """
        SIP/2.0 503 Service Unavailable
        Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
        To: <sip:user@example.com>
        From: <sip:other@example.net>;tag=2easdjfejw
        CSeq: 9292394834772304023312 OPTIONS
        Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
        Retry-After: 949302838503028349304023988
        Warning: 1812 overture "In Progress"
        Content-Length: 0
        """
    )
    assert House().told(scalarlg) == []


def test_quotbal() -> None:
    """§3.1.2.6: a quote that never ends could hide anything: 400."""
    quotbal = message(
        """
        INVITE sip:user@example.com SIP/2.0
        To: "Mr. J. User <sip:j.user@example.com>
        From: sip:caller@example.net;tag=93334
        Max-Forwards: 10
        Call-ID: quotbal.aksdj
        Contact: <sip:caller@host59.example.net>
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
        Content-Type: application/sdp
        Content-Length: 152
        """,
        sdp("192.0.2.15"),
    )
    house = House()
    assert house.codes(quotbal, TRUNK) == [400] and house.silent


def test_ltgtruri() -> None:
    """§3.1.2.7: a Request-URI in < and >: 400."""
    ltgtruri = message(
        """
        INVITE <sip:user@example.com> SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=39291
        Max-Forwards: 23
        Call-ID: ltgtruri.1@192.0.2.5
        CSeq: 1 INVITE
        Via: SIP/2.0/UDP 192.0.2.5
        Contact: <sip:caller@host5.example.net>
        Content-Type: application/sdp
        Content-Length: 159
        """,
        sdp("192.0.2.5", time="3149328700 0"),
    )
    house = House()
    assert house.codes(ltgtruri, TRUNK) == [400] and house.silent


def test_lwsruri() -> None:
    """§3.1.2.8: a space inside the Request-URI: 400."""
    lwsruri = message(
        """
        INVITE sip:user@example.com; lr SIP/2.0
        To: sip:user@example.com;tag=3xfe-9921883-z9f
        From: sip:caller@example.net;tag=231413434
        Max-Forwards: 5
        Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423
        CSeq: 2130706432 INVITE
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395
        Contact: <sip:caller@host1.example.net>
        Content-Type: application/sdp
        Content-Length: 159
        """,
        sdp("192.0.2.1", time="3149328700 0"),
    )
    house = House()
    assert house.codes(lwsruri, TRUNK) == [400] and house.silent


def test_lwsstart() -> None:
    """§3.1.2.9: more than one space between the parts of the start line leaves no doubt: it rings."""
    lwsstart = message(
        """
        INVITE  sip:user@example.com  SIP/2.0
        Max-Forwards: 8
        To: sip:user@example.com
        From: sip:caller@example.net;tag=8814
        Call-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com
        CSeq: 1893884 INVITE
        Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923
        Contact: <sip:caller@host1.example.net>
        Content-Type: application/sdp
        Content-Length: 150
        """,
        sdp("192.0.2.1"),
    )
    house = House()
    assert house.codes(lwsstart, TRUNK)[0] == 100
    assert house.rung.from_.uri.user == "caller"


def test_trws() -> None:
    """§3.1.2.10: spaces behind the start line leave no doubt: 200 to the OPTIONS."""
    trws = message(
        f"""
        OPTIONS sip:remote-target@example.com SIP/2.0{"  "}
        Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093
        To: <sip:remote-target@example.com>
        From: <sip:local-resource@example.com>;tag=329429089
        Call-ID: trws.oicu34958239neffasdhr2345r
        Accept: application/sdp
        CSeq: 238923 OPTIONS
        Max-Forwards: 70
        Content-Length: 0
        """
    )
    assert House().codes(trws, TRUNK_BY_TCP) == [200]


def test_escruri() -> None:
    """§3.1.2.11: headers in the Request-URI are ignored: it rings, and nothing of them is passed on."""
    escruri = message(
        """
        INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=341518
        Max-Forwards: 7
        Contact: <sip:caller@host39923.example.net>
        Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5
        CSeq: 149209342 INVITE
        Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw
        Content-Type: application/sdp
        Content-Length: 150
        """,
        sdp("192.0.2.1"),
    )
    house = House()
    assert house.codes(escruri, TRUNK)[0] == 100
    assert "Route" not in house.rung.headers and "?" not in house.rung.uri


def test_baddate() -> None:
    """§3.1.2.12: a Date in another zone than GMT; nobody here reads it: it rings."""
    baddate = message(
        """
        INVITE sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=2234923
        Max-Forwards: 70
        Call-ID: baddate.239423mnsadf3j23lj42--sedfnm234
        CSeq: 1392934 INVITE
        Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
        Date: Fri, 01 Jan 2010 16:00:00 EST
        Contact: <sip:caller@host5.example.net>
        Content-Type: application/sdp
        Content-Length: 150
        """,
        sdp("192.0.2.5"),
    )
    house = House()
    assert house.codes(baddate, TRUNK)[0] == 100
    assert house.rung.from_.uri.user == "caller"


def test_regbadct() -> None:
    """§3.1.2.13: a URI with headers must stand in < and >, else nobody knows whose its end is: 400."""
    regbadct = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: sip:user@example.com
        From: sip:user@example.com;tag=998332
        Max-Forwards: 70
        Call-ID: regbadct.k345asrl3fdbv@10.0.0.1
        CSeq: 1 REGISTER
        Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
        Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
        l: 0
        """
    )
    house = House(registers="user")
    assert house.registered(regbadct).code == 400
    assert house.lab.exchange.line("registering").state.value == "unreachable"


def test_badaspec() -> None:
    """§3.1.2.14: spaces between a URI and its < and > leave no doubt: 200 to the OPTIONS."""
    badaspec = message(
        """
        OPTIONS sip:user@example.org SIP/2.0
        Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
        Max-Forwards: 70
        From: "Bell, Alexander" <sip:a.g.bell@example.com>;tag=433423
        To: "Watson, Thomas" < sip:t.watson@example.org >
        Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3
        Accept: application/sdp
        CSeq: 3923239 OPTIONS
        l: 0
        """
    )
    (answer,) = House().told(badaspec)
    assert answer.code == 200 and answer.to.uri.user == "t.watson"


def test_baddn() -> None:
    """§3.1.2.15: display names that should have been quoted, as many a PBX writes them, are taken: 200."""
    baddn = message(
        """
        OPTIONS sip:t.watson@example.org SIP/2.0
        Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
        Max-Forwards:      70
        From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43
        To:      Watson, Thomas <sip:t.watson@example.org>
        Call-ID: baddn.31415@c.example.com
        Accept: application/sdp
        CSeq:    3923239 OPTIONS
        l: 0
        """
    )
    (answer,) = House().told(baddn)
    assert answer.code == 200 and answer.from_.name == "Bell, Alexander"


def test_badvers() -> None:
    """§3.1.2.16: a version that we do not speak, in its Via too: 505."""
    badvers = message(
        """
        OPTIONS sip:t.watson@example.org SIP/7.0
        Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
        Max-Forwards:     70
        From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
        To:      T. Watson <sip:t.watson@example.org>
        Call-ID: badvers.31417@c.example.com
        CSeq:    1 OPTIONS
        l: 0
        """
    )
    assert House().codes(badvers) == [505]


def test_mismatch01() -> None:
    """§3.1.2.17: the CSeq names another method than the start line: 400."""
    mismatch01 = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=34525
        Max-Forwards: 6
        Call-ID: mismatch01.dj0234sxdfl3
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
        l: 0
        """
    )
    assert House().codes(mismatch01) == [400]


def test_mismatch02() -> None:
    """§3.1.2.18: the same with a method that nobody knows: 501, which says more."""
    mismatch02 = message(
        """
        NEWMETHOD sip:user@example.com SIP/2.0
        To: sip:j.user@example.com
        From: sip:caller@example.net;tag=34525
        Max-Forwards: 6
        Call-ID: mismatch02.dj0234sxdfl3
        CSeq: 8 INVITE
        Contact: <sip:caller@host.example.net>
        Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw
        Content-Type: application/sdp
        l: 138
        """,
        """
        v=0
        o=mhandley 29739 7272939 IN IP4 192.0.2.1
        c=IN IP4 192.0.2.1
        m=audio 49217 RTP/AVP 0 12
        m=video 3227 RTP/AVP 31
        a=rtpmap:31 LPC
        """,
    )
    house = House()
    assert house.codes(mismatch02, TRUNK) == [501] and house.silent


def test_bigcode() -> None:
    """§3.1.2.19: a response code that is none: dropped."""
    bigcode = message(
        """
        SIP/2.0 4294967301 better not break the receiver
        Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
        Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i
        CSeq: 353494 INVITE
        From: <sip:user@example.com>;tag=39ansfi3
        To: <sip:user@example.edu>;tag=902jndnke3
        Content-Length: 0
        Contact: <sip:user@host105.example.com>
        """
    )
    assert House().told(bigcode) == []
