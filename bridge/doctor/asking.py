"""One SIP request from a socket of our own, and its final answer: what a peer says when it is asked."""

from __future__ import annotations

import random
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from typing import NamedTuple

from bridge.config.addresses import bracketed
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.framing import StreamFramer
from bridge.sip.grammar import SipError
from bridge.sip.message import Request, Response
from bridge.sip.reading import parse_message

PATIENCE = 4.0  # seconds for an answer
_AGAIN = (0.5, 1.0, 2.0)  # seconds between copies, on UDP (RFC 3261 timer E)
_TRIES = 3  # requests of one question: challenged, stale


class Place(NamedTuple):
    """Where a peer is: `transport` is udp, tcp or tls, `host` an address."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:{bracketed(self.host)}:{self.port}"


class Answer(NamedTuple):
    """A final response, the Via that the request had, and the address of ours that it was sent from."""

    response: Response
    via: str
    source: tuple[str, int]


class Silence(Exception):
    """No answer; the message says how it failed."""


def ask(
    place: Place, method: str, uri: str, account: str, credentials: Credentials | None = None, seconds: float = PATIENCE
) -> Answer:
    """Ask a peer something that changes nothing there: OPTIONS, or REGISTER without a contact (RFC 3261 §10.2.3).

    `account` is the URI of From and To. A challenge is answered where there are credentials. Raises Silence.
    """
    try:
        with _connected(place, seconds) as sock:
            return _converse(sock, place, _question(method, uri, account), credentials, seconds)
    except TimeoutError:
        raise Silence(f"{place} does not answer") from None
    except OSError as error:
        raise Silence(f"{place}: {error.strerror or error}") from None


def _converse(
    sock: socket.socket, place: Place, request: Request, credentials: Credentials | None, seconds: float
) -> Answer:
    authenticator = Authenticator(credentials, random.SystemRandom()) if credentials else None
    host, port = sock.getsockname()[:2]
    for number in range(1, _TRIES + 1):
        via = f"SIP/2.0/{place.transport.upper()} {bracketed(host)}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport"
        request.set("Via", via)
        request.set("CSeq", f"{number} {request.method}")
        response = _exchange(sock, place, request, number, seconds)
        if authenticator is None or not authenticator.again(response):
            break
        authenticator.authorize(request)
    return Answer(response, via, (host, port))


def _question(method: str, uri: str, account: str) -> Request:
    return Request(
        method,
        uri,
        {
            "Max-Forwards": ["70"],
            "From": [f"<{account}>;tag={secrets.token_hex(6)}"],
            "To": [f"<{account}>"],
            "Call-ID": [secrets.token_hex(12)],
            "User-Agent": ["cti-bridge doctor"],
        },
    )


def _connected(place: Place, seconds: float) -> socket.socket:
    if place.transport == "udp":
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.connect((place.host, place.port))
        return sock
    sock = socket.create_connection((place.host, place.port), seconds)
    if place.transport == "tls":
        context = ssl.create_default_context()
        context.check_hostname = (
            False  # whether its name is right is the agent's to judge; here it is asked what it says
        )
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(sock)
    return sock


def _exchange(sock: socket.socket, place: Place, request: Request, number: int, seconds: float) -> Response:
    """Send the request, again and again on UDP, until its final response is there. Raises TimeoutError."""
    end = time.monotonic() + seconds
    raw = bytes(request)
    framer = StreamFramer() if place.transport != "udp" else None
    sock.settimeout(seconds)
    sock.sendall(raw)
    pauses = iter(_AGAIN if framer is None else ())
    due = time.monotonic() + next(pauses, seconds)
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(max(0.01, min(left, due - time.monotonic())))
        try:
            data = sock.recv(65536)
        except TimeoutError:
            sock.sendall(raw)
            due = time.monotonic() + next(pauses, seconds)
            continue
        if not data and framer is not None:
            raise ConnectionError("the connection was closed without an answer")
        for response in _responses(data, framer):
            if response.code >= 200 and response.call_id == request.call_id and response.cseq.sequence == number:
                return response
    raise TimeoutError


def _responses(data: bytes, framer: StreamFramer | None) -> Iterator[Response]:
    for each in framer.feed(data) if framer else [data]:
        try:
            message = parse_message(each)
        except SipError:
            continue
        if isinstance(message, Response):
            yield message


def words(response: Response) -> str:
    """Return the peer's own words, in one printable line."""
    return f"{response.code} {''.join(c for c in response.phrase if c.isprintable())[:80]}".rstrip()
