"""RFC 4475 §3.1.1: messages that are valid, however odd. Each is understood, and answered as a plain one would be."""

from __future__ import annotations

from bridge.sip.flow import Flow
from bridge.sip.grammar import parse_address, parse_uri
from bridge.sip.message import Request, Response
from bridge.sip.reading import parse_message
from bridge.sip.via import top_via
from tests.support.torture import STRANGER, TRUNK, House, message, sdp

TRUNK_BY_TCP = Flow("tcp", TRUNK.host, 40000)


def test_wsinv() -> None:
    """§3.1.1.1: white space, folds, escapes and names in any form. It names a dialog that is not ours: 481."""
    wsinv = message(
        r"""
        INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
        TO :
         sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
        from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>
          ;
          tag = 98asjd8
        MaX-fOrWaRdS: 0068
        Call-ID: wsinv.ndaksdj@192.0.2.1
        Content-Length   : 150
        cseq: 0009
          INVITE
        Via  : SIP  /   2.0
         /UDP
            192.0.2.2;branch=390skdjuw
        s :
        NewFangledHeader:   newfangled value
         continued newfangled value
        UnknownHeaderWithUnusualValue: ;;,,;;,;
        Content-Type: application/sdp
        Route:
         <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
        v:  SIP  / 2.0  / TCP     spindle.example.com   ;
          branch  =   z9hG4bK9ikj8  ,
         SIP  /    2.0   / UDP  192.168.255.111   ; branch=
         z9hG4bK30239
        m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =
              newvalue ;
          secondparam ; q = 0.33
        """,
        sdp("192.0.2.3", "192.0.2.4"),
    )
    (answer,) = House().told(wsinv, TRUNK)
    assert answer.code == 481
    assert answer.from_tag == "98asjd8" and answer.to_tag == "1918181833n"
    assert len(answer.all("Via")) == 3 and top_via(answer.need("Via")).branch == "390skdjuw"
    request = parse_message(wsinv)
    assert request.number("Max-Forwards") == 68 and request.cseq.sequence == 9 and len(request.body) == 150
    contact = parse_address(request.need("Contact"))
    assert (contact.name, contact.uri.user) == ('Quoted string ""', "jdrosen")
    assert dict(contact.parameters) == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    outside = wsinv.replace(b";   tag    = 1918181833n", b"")
    house = House()
    assert house.codes(outside, TRUNK)[0] == 100
    assert house.rung.from_.name == 'J Rosenberg \\"'


def test_intmeth() -> None:
    """§3.1.1.2: every character that a token, a URI, a quoted string and a Call-ID may have. The method: 501."""
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    strange = "fromParam''~+*_!.-%"
    intmeth = message(
        rf"""
        {method} sip:{user}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0
        Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
        To: "BEL:\{chr(7)} NUL:\{chr(0)} DEL:\{chr(127)}" <sip:{user}@example.com>
        From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;{strange}="работающий";tag=_token~1'+`*%!-.
        Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}}{{
        CSeq: 139122385 {method}
        Max-Forwards: 255
        extensionHeader-!.%*+_`'~:大停電
        Content-Length: 0
        """
    )
    (answer,) = House().told(intmeth, TRUNK_BY_TCP)
    assert answer.code == 501 and answer.cseq.method == method
    assert answer.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert answer.from_tag == "_token~1'+`*%!-." and answer.from_.name == "token1~` token2'+_ token3*%!.-"
    assert answer.to.name == "BEL:\x07 NUL:\x00 DEL:\x7f" and answer.to.uri.user == user
    assert top_via(answer.need("Via")).branch == "z9hG4bK-.!%66*_+`'~", "no escape: the branch is a token"


def test_esc01() -> None:
    """§3.1.1.3: escapes in URIs are read: the user is "sips:user@example.com", and the call rings like any other."""
    esc01 = message(
        """
        INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
        To: sip:%75se%72@example.com
        From: <sip:I%20have%20spaces@example.net>;tag=938
        Max-Forwards: 87
        i: esc01.239409asdfakjkn23onasd0-3234
        CSeq: 234234 INVITE
        Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
        C: application/sdp
        Contact:
          <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
        Content-Length: 150
        """,
        sdp("192.0.2.1"),
    )
    house = House()
    assert house.codes(esc01, TRUNK)[0] == 100
    assert house.rung.from_.uri.user == "I have spaces"
    request = parse_message(esc01)
    assert isinstance(request, Request)
    assert parse_uri(request.uri).user == "sips:user@example.com" and request.to.uri.user == "user"
    contact = parse_uri(request.contact or "")
    assert contact.user == "caller" and dict(contact.parameters) == {"lr": None, "name": "value%41"}


def test_escnull() -> None:
    """§3.1.1.4: a NUL that is escaped ends nothing. The stranger is challenged: 401."""
    escnull = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: sip:null-%00-null@example.com
        From: sip:null-%00-null@example.com;tag=839923423
        Max-Forwards: 70
        Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd
        CSeq: 14398234 REGISTER
        Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
        Contact: <sip:%00@host5.example.com>
        Contact: <sip:%00%00@host5.example.com>
        L:0
        """
    )
    (answer,) = House().told(escnull)
    assert answer.code == 401 and answer.to.uri.user == "null-\0-null"
    contacts = [parse_address(value).uri.user for value in parse_message(escnull).all("Contact")]
    assert contacts == ["\0", "\0\0"]


def test_esc02() -> None:
    """§3.1.1.5: % is no escape in a method or in a header's name: an unknown method, 501, and two Contacts."""
    esc02 = message(
        """
        RE%47IST%45R sip:registrar.example.com SIP/2.0
        To: "%Z%45" <sip:resource@example.com>
        From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23
        Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf
        Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
        CSeq: 29344 RE%47IST%45R
        Max-Forwards: 70
        Contact: <sip:alias1@host1.example.com>
        C%6Fntact: <sip:alias2@host2.example.com>
        Contact: <sip:alias3@host3.example.com>
        l: 0
        """
    )
    (answer,) = House().told(esc02, TRUNK_BY_TCP)
    assert answer.code == 501 and answer.to.name == "%Z%45"
    assert len(parse_message(esc02).all("Contact")) == 2


def test_lwsdisp() -> None:
    """§3.1.1.6: no space between the display name and <. An OPTIONS: 200."""
    lwsdisp = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: caller<sip:caller@example.com>;tag=323
        Max-Forwards: 70
        Call-ID: lwsdisp.1234abcd@funky.example.com
        CSeq: 60 OPTIONS
        Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
        l: 0
        """
    )
    (answer,) = House().told(lwsdisp)
    assert answer.code == 200 and answer.from_.name == "caller"


def test_longreq() -> None:
    """§3.1.1.7: long values, and 34 Vias in every form of the name. It rings; the Vias come back in their order."""
    caller = "amazinglylongcallername" * 5
    names = ["Via", "v", "V", "Via", "ViA", "VIa", "VIA", "via", "viA", "vIa", "vIA"]
    names += ["V ", "v ", "V  ", "v  ", "Via ", "Via  ", *["Via"] * 16]
    vias = [f"{name}: SIP/2.0/TCP sip{33 - at}.example.com" for at, name in enumerate(names)]
    last = f"Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{'long' * 50}branchvalue"
    longreq = message(
        "\n".join(
            [
                "INVITE sip:user@example.com SIP/2.0",
                f'To: "I have a user name of {"extreme" * 10} proportion"'
                f"<sip:user@example.com:6000;unknownparam1=very{'long' * 20}value"
                f";longparam{'name' * 25}=shortvalue;very{'long' * 25}ParameterNameWithNoValue>",
                f"F: sip:{caller}@example.net;tag=12{'982' * 50}424;unknownheaderparam{'name' * 20}"
                f"=unknowheaderparam{'value' * 15};unknownValueless{'paramname' * 10}",
                f"Call-ID: longreq.one{'really' * 20}longcallid",
                "CSeq: 3882340 INVITE",
                f"Unknown-{'Long' * 20}-Name: unknown-{'long' * 20}-value;"
                f" unknown-{'long' * 20}-parameter-name = unknown-{'long' * 20}-parameter-value",
                *vias,
                last,
                "Max-Forwards: 70",
                f"Contact: <sip:{caller}@host5.example.net>",
                "Content-Type: application/sdp",
                "l: 150",
            ]
        ),
        sdp("192.0.2.1"),
    )
    house = House()
    trying = house.told(longreq, TRUNK_BY_TCP)[0]
    assert trying.code == 100
    assert [top_via(via).host for via in trying.all("Via")] == [
        *(f"sip{number}.example.com" for number in range(33, 0, -1)),
        "host.example.com",
    ]
    assert house.rung.from_.uri.user == caller[:80], "what phones are shown has a limit"


def test_dblreq() -> None:
    """§3.1.1.8: what stands in a datagram behind the body is not looked at: the phone registers, nothing rings."""
    dblreq = message(
        """
        REGISTER sip:example.com SIP/2.0
        To: sip:j.user@example.com
        From: sip:j.user@example.com;tag=43251j3j324
        Max-Forwards: 8
        I: dblreq.0ha0isndaksdj99sdfafnl3lk233412
        Contact: sip:j.user@host.example.com
        CSeq: 8 REGISTER
        Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
        Content-Length: 0
        """
    ) + message(
        """

        INVITE sip:joe@example.com SIP/2.0
        t: sip:joe@example.com
        From: sip:caller@example.net;tag=141334
        Max-Forwards: 8
        Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15
        CSeq: 8 INVITE
        Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234
        Content-Type: application/sdp
        Content-Length: 150
        """,
        sdp("192.0.2.15").replace("m=video", "m =video"),
    )
    house = House(registers="j.user")
    answer = house.registered(dblreq, TRUNK)
    assert answer.code == 200 and answer.contact == "sip:j.user@host.example.com"
    assert house.silent


def test_semiuri() -> None:
    """§3.1.1.9: semicolons before the @ belong to the user. An OPTIONS: 200."""
    semiuri = message(
        """
        OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
        To: sip:j_user@example.com
        From: sip:caller@example.org;tag=33242
        Max-Forwards: 3
        Call-ID: semiuri.0ha0isndaksdj
        CSeq: 8 OPTIONS
        Accept: application/sdp, application/pkcs7-mime,
                multipart/mixed, multipart/signed,
                message/sip, message/sipfrag
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
        l: 0
        """
    )
    assert House().codes(semiuri) == [200]
    request = parse_message(semiuri)
    assert isinstance(request, Request)
    assert parse_uri(request.uri).user == "user;par=u@example.net" and len(request.all("Accept")) == 6


def test_transports() -> None:
    """§3.1.1.10: transports that we do not know, in the Vias of others, concern us not. An OPTIONS: 200."""
    transports = message(
        """
        OPTIONS sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: <sip:caller@example.com>;tag=323
        Max-Forwards: 70
        Call-ID:  transports.kijh4akdnaqjkwendsasfdj
        Accept: application/sdp
        CSeq: 60 OPTIONS
        Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
        Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
        Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
        Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
        Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
        l: 0
        """
    )
    (answer,) = House().told(transports)
    assert answer.code == 200 and len(answer.all("Via")) == 5
    assert answer.all("Via")[0].endswith(f";received={STRANGER.host}")


SIGNATURE = bytes.fromhex(
    "3082015206092A864886F70D010702A08201433082013F02"
    "01013109300706052B0E03021A300B06092A864886F70D010701318201203082"
    "011C020101307C3070310B300906035504061302555331133011060355040813"
    "0A43616C69666F726E69613111300F0603550407130853616E204A6F7365310E"
    "300C060355040A1305736970697431293027060355040B132053697069742054"
    "65737420436572746966696361746520417574686F7269747902080195007102"
    "330113300706052B0E03021A300D06092A864886F70D01010105000481808EF4"
    "66F948F0522DD2E5978E9D95AAE9F2FE15A06659716292E8DA2AA8D8350A68CE"
    "FFAE3CBD2BFF1675DDD5648E593DD64728F26220F7E941749E330D9A15EDABDB"
    "93D10C42102E7B7289D29CC0C9AE2EFBC7C0CFF9172F3B027E4FC027E1546DE4"
    "B6AA3ABB3E66CCCB5DD6C64B8383149CB8E6FF182D944FE57B65BC99D005"
)
IDENTITY = (
    "r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuLIK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUa"
    "ZngQmXc9WNZSDNGCzA+fWl9MEUHWIZo1CeJebdY/XlgKeTa0Olvq0rt70Q5jiSfbqMJmQFteeivUhkMWYUA="
)


def test_mpart01() -> None:
    """§3.1.1.11: a body of two parts, one binary with NULs and line ends in it. MESSAGE outside of a call: 405."""
    body = (
        b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n"
        b"--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        + SIGNATURE
        + b"\r\n--7a9cbec02ceef655--\r\n"
    )
    mpart01 = message(
        f"""
        MESSAGE sip:kumiko@example.org SIP/2.0
        Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
        Max-Forwards: 70
        Route: <sip:127.0.0.1:5080>
        Identity: {IDENTITY}
        Contact: <sip:fluffy@127.0.0.1:5070>
        To: <sip:kumiko@example.org>
        From: <sip:fluffy@example.com>;tag=2fb0dcc9
        Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
        CSeq: 1 MESSAGE
        Content-Transfer-Encoding: binary
        Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
        Date: Sat, 15 Oct 2005 04:44:56 GMT
        User-Agent: SIPimp.org/0.2.5 (curses)
        Content-Length: 553
        """,
        body,
    )
    assert House().codes(mpart01) == [405]
    assert parse_message(mpart01).body == body


def test_unreason() -> None:
    """§3.1.1.12: a reason phrase in any script. A response to nothing that we asked: dropped."""
    unreason = message(
        """
        SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое
        Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
        Call-ID: unreason.1234ksdfak3j2erwedfsASdf
        CSeq: 35 INVITE
        From: sip:user@example.com;tag=11141343
        To: sip:user@example.edu;tag=2229
        Content-Length: 154
        Content-Type: application/sdp
        Contact: <sip:user@host198.example.com>
        """,
        sdp("192.0.2.198"),
    )
    house = House()
    assert house.told(unreason) == [] and house.silent
    response = parse_message(unreason)
    assert isinstance(response, Response) and response.phrase == "= 2**3 * 5**2 но сто девяносто девять - простое"


def test_noreason() -> None:
    """§3.1.1.13: no reason phrase. A response to nothing that we asked: dropped."""
    noreason = message(
        f"""
        SIP/2.0 100{" "}
        Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
        Call-ID: noreason.asndj203insdf99223ndf
        CSeq: 35 INVITE
        From: <sip:user@example.com>;tag=39ansfi3
        To: <sip:user@example.edu>;tag=902jndnke3
        Content-Length: 0
        Contact: <sip:user@host105.example.com>
        """
    )
    house = House()
    assert house.told(noreason) == [] and house.silent
    response = parse_message(noreason)
    assert isinstance(response, Response) and response.code == 100
