"""Bodies of several parts: the session description is found among them, and nothing else is taken for it."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sip.message import Body, Request
from bridge.sip.multipart import description_in

SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
MIXED = "multipart/mixed;boundary=x"


def body(*parts: bytes, boundary: bytes = b"x", end: bytes = b"\r\n") -> bytes:
    """Return a body of these parts, each with its headers."""
    return b"".join(b"--" + boundary + end + part + end for part in parts) + b"--" + boundary + b"--" + end


def sdp(headers: bytes = b"Content-Type: application/sdp\r\n", content: bytes = SDP) -> bytes:
    """Return the part with the description."""
    return headers + b"\r\n" + content


OTHER = b"Content-Type: application/isup; version=itu-t92+\r\nContent-Disposition: signal\r\n\r\n\x01\x00\x60--x\x02"


@pytest.mark.parametrize(
    "parts",
    [
        (sdp(),),
        (OTHER, sdp()),
        (sdp(), OTHER),
        (sdp(b"content-type:APPLICATION/SDP ;charset=utf-8\r\nContent-Disposition: session;handling=required\r\n"),),
        (sdp(b"Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n", b"v=1"), sdp()),
        (b"\r\nplain text without headers", sdp()),
        (
            sdp(
                b"Content-Transfer-Encoding: base64\r\nContent-Type: application/sdp\r\n",
                base64.encodebytes(SDP).replace(b"\n", b"\r\n"),
            ),
        ),
    ],
)
def test_it_is_found(parts: tuple[bytes, ...]) -> None:
    """Wherever it stands; one for another session is not it."""
    assert description_in(MIXED, body(*parts)) == SDP


def test_a_preamble_and_bare_line_feeds() -> None:
    """RFC 2046 allows the one; phones do the other."""
    assert description_in(MIXED, b"for old readers\r\n" + body(OTHER, sdp())) == SDP
    bare = body(b"Content-Type: application/sdp\n\n" + SDP, end=b"\n")
    assert description_in('multipart/mixed; boundary="x"', bare) == SDP


def test_the_last_alternative_is_the_best() -> None:
    """multipart/alternative is in the order of its sender's liking, the best at the end; also inside of another."""
    other = SDP.replace(b"4000", b"6000")
    inner = body(sdp(), sdp(content=other), boundary=b"y")
    assert description_in("multipart/alternative;boundary=y", inner) == other
    nested = b"Content-Type: multipart/alternative;boundary=y\r\n\r\n" + inner
    assert description_in(MIXED, body(OTHER, nested)) == other


def said(content_type: str) -> Body | None:
    """Return the description in a request without one."""
    request = Request("INVITE", "sip:600@x", {"Content-Type": [content_type]})
    request.body = body(OTHER)
    return request.description


def test_there_is_none() -> None:
    """Then the INVITE has no offer; what cannot be taken apart is left as it is."""
    assert said(MIXED) is None
    assert said("multipart/mixed") == Body("multipart/mixed", body(OTHER))
    assert said("application/sdp") == Body("application/sdp", body(OTHER))


@given(st.binary(max_size=300))
def test_whatever_comes(data: bytes) -> None:
    """Nothing but a ValueError, whatever is in it."""
    for given_ in (data, body(data), body(data, sdp())):
        with contextlib.suppress(ValueError):
            description_in(MIXED, given_)


@pytest.mark.parametrize(
    "content_type", ["multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=a b"]
)
def test_what_has_no_boundary(content_type: str) -> None:
    """Raises, or finds nothing."""
    with contextlib.suppress(ValueError):
        assert description_in(content_type, body(sdp())) is None


def test_too_deep() -> None:
    """Parts in parts in parts without end are not followed."""
    inner, within = body(sdp(), boundary=b"0"), b"0"
    for outer in (b"1", b"2", b"3", b"x"):
        inner = body(b"Content-Type: multipart/mixed;boundary=" + within + b"\r\n\r\n" + inner, boundary=outer)
        within = outer
    with pytest.raises(ValueError, match="boundary"):
        description_in(MIXED, inner)
