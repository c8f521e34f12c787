"""What hostile messages are made of: plain ones, and pieces that parsers stumble over."""

from __future__ import annotations

from tests.support.lab import ANSWER, OFFER
from tests.support.torture import message

HEADERS = """
    Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{key};rport
    Max-Forwards: 70
    From: "Caller" <sip:301@{host}>;tag={key}
    To: <sip:{called}@10.0.0.100>{tag}
    Call-ID: {key}@{host}
    CSeq: 1 {method}
    Contact: <sip:301@{host}:5060>
"""
DIGEST = (
    'Authorization: Digest username="203", realm="cti-bridge", nonce="AAAA_-==", uri="sip:10.0.0.100", qop=auth,'
    ' nc=00000001, cnonce="c", response="0123456789abcdef0123456789abcdef", algorithm=MD5, opaque=""\n'
)
CHALLENGE = 'WWW-Authenticate: Digest realm="pbx", nonce="n", algorithm=SHA-256, qop="auth,auth-int", stale=true\n'
SDP = OFFER.data.decode() + "a=rtpmap:8 PCMA/8000\r\na=fmtp:8 x=y\r\na=sendrecv\r\nc=IN IP4 10.0.0.9\r\n"


def request(method: str, host: str, called: str, tag: str = "", extra: str = "", body: bytes = b"") -> bytes:
    """Return a plain request."""
    head = f"{method} sip:{called}@10.0.0.100 SIP/2.0\n" + _headers(method, host, called, tag) + extra
    kind = "Content-Type: application/sdp\n" if body else ""
    return message(f"{head}{kind}Content-Length: {len(body)}\n", body)


def response(status: str, method: str, host: str, extra: str = "", body: bytes = b"") -> bytes:
    """Return a plain response, to nothing that was asked."""
    head = f"SIP/2.0 {status}\n" + _headers(method, host, "600", ";tag=t") + extra
    return message(f"{head}Content-Length: {len(body)}\n", body)


def _headers(method: str, host: str, called: str, tag: str) -> str:
    lines = HEADERS.format(method=method, host=host, called=called, tag=tag, key=f"k{method}{called}")
    return "".join(f"{line.strip()}\n" for line in lines.splitlines() if line.strip())


def plain(host: str) -> list[bytes]:
    """Return plain messages of many kinds, as somebody at this host may send them."""
    body = SDP.encode()
    found = [request(method, host, "600") for method in ("OPTIONS", "BYE", "CANCEL", "ACK", "PRACK", "REFER", "FOO")]
    found += [request("INVITE", host, called, body=body) for called in ("600", "201", "777")]
    found += [request("REGISTER", host, "203", extra=DIGEST + extra) for extra in ("", "Expires: 60\n", "Contact: *\n")]
    found.append(request("INVITE", host, "203", extra=DIGEST + "Session-Expires: 90;refresher=uac\nSupported: timer\n"))
    found.append(request("INVITE", host, "600", extra="Record-Route: <sip:10.9.9.9;lr>, <sip:10.9.9.8>\n", body=body))
    found += [request(method, host, "600", tag=";tag=x", body=body) for method in ("INVITE", "UPDATE", "INFO", "ACK")]
    watch = "Event: dialog;id=7\nAccept: application/dialog-info+xml\nExpires: 90\n"
    found += [
        request("SUBSCRIBE", host, called, tag, extra=watch) for called in ("600", "201") for tag in ("", ";tag=x")
    ]
    found += [response(f"{code} X", "NOTIFY", host) for code in (200, 481, 500)]
    found += [response(f"{code} X", "INVITE", host, body=ANSWER.data) for code in (100, 180, 200, 486)]
    found += [response(f"{code} X", "REGISTER", host, CHALLENGE) for code in (200, 401, 407, 423)]
    return found


PIECES = [
    *(
        b"",
        b"\x00",
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\r\n ",
        b" ",
        b"\t",
        b'"',
        b"\\",
        b"<",
        b">",
        b"[",
        b"]",
        b"%",
    ),
    *(b";", b";;", b",", b",,", b":", b"::", b"=", b"/", b"@", b"?", b"*", b"%00", b"%zz", b"\xff\xfe", b"\xc3\xa9"),
    *(b"0", b"-1", b"1", b"4294967296", b"99999999999999999999999", b"1e3", b"\xd9\xa3", b"z9hG4bK", b"sip:", b"tel:+"),
    *(b"SIP/2.0", b"SIP/3.0", b"SIP/2.0 200 OK\r\n", b"INVITE", b"ACK", b"CANCEL", b"BYE", b"REGISTER", b"OPTIONS"),
    *(
        b";tag=",
        b";branch=",
        b";rport",
        b";received=1.2.3.4",
        b";maddr=[::1",
        b";lr",
        b";transport=sctp",
        b";expires=0",
    ),
    *(
        b"\r\nContent-Length: 5\r\n",
        b"\r\nl: -1\r\n",
        b"\r\nRequire: 100rel\r\n",
        b"\r\nVia: x\r\n",
        b"\r\nTo: <sip:a@b>\r\n",
    ),
    *(
        b"\r\nReplaces: a;to-tag=b;from-tag=c\r\n",
        b"\r\nRecord-Route: <sip:a;lr>\r\n",
        b"\r\nSupported: timer,100rel\r\n",
    ),
    *(
        b"\r\nSession-Expires: 1\r\n",
        b"\r\nRAck: 1 1 INVITE\r\n",
        b"\r\nExpires: x\r\n",
        b"\r\nContact: *\r\n",
        b"A" * 3000,
    ),
    *(
        b"Digest ",
        b'nonce="',
        b"algorithm=SHA-512",
        b"qop=",
        b"nc=zz",
        b"m=audio 0 RTP/AVP 0\r\n",
        b"a=rtpmap:",
        b"c=IN IP6 ::",
    ),
]
"""Pieces to put into messages."""
