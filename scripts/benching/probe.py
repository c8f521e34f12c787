"""One caller and all members in one loop over plain sockets: what the system adds to each step of a call.

SIPp's clock ticks in milliseconds, so that single delays are taken here: a datagram's time is taken right after
it was received, in nanoseconds, by a process that does nothing else.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from dataclasses import dataclass

from benching.systems import Places

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
Received = tuple[socket.socket, bytes, tuple[str, int]]
"""Where, what and from whom a datagram came."""

_HEADER = re.compile(rb"^(Via|From|To|Call-ID|CSeq|Record-Route): .*\r\n", re.MULTILINE)


@dataclass
class Call:
    """The moments of one call in milliseconds since its INVITE was sent; NaN: did not happen."""

    ringing: float = float("nan")
    first_invite: float = float("nan")
    last_invite: float = float("nan")
    answer_passed_on: float = float("nan")  # since the member's 200
    last_cancel: float = float("nan")  # since the member's 200


class Probe:
    """The sockets of a caller and, unless somebody else plays them, of the members. Use as a context manager."""

    def __init__(self, places: Places, *, members: bool = True) -> None:
        self._system = ("127.0.0.1", places.system)
        self._caller = _bound(places.probe)
        self._members = [_bound(places.winner), _bound(places.losers)] if members else []
        self._number = 0

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._caller, *self._members):
            each.close()

    def call(self, members: int, seconds: float = 3.0) -> Call:
        """Make one call, all members ringing before the first answers, and hang up. TimeoutError if it stalls."""
        call = Call()
        deadline = time.monotonic() + seconds
        call_id, sent = self._invite()
        rung: list[Received] = []
        heard = False
        while len(rung) < members:
            at, sock, data, peer = self._receive(deadline)
            if data.startswith(b"INVITE ") and sock is not self._caller:
                call.first_invite = min(at - sent, call.first_invite) if rung else at - sent
                call.last_invite = at - sent
                rung.append((sock, data, peer))
            heard = heard or data.startswith(b"SIP/2.0 180")
        for invite in rung:
            _reply(*invite, "180 Ringing")
        if not heard:
            self._await(b"SIP/2.0 180", call_id, deadline)
        winner = next(invite for invite in rung if invite[0] is self._members[0])
        answered = time.perf_counter_ns() / 1e6
        _reply(*winner, "200 OK", SDP)
        cancels: list[Received] = []
        ok = b""
        while not ok or len(cancels) < members - 1:
            at, sock, data, peer = self._receive(deadline)
            if data.startswith(b"CANCEL ") and sock is not self._caller:
                cancels.append((sock, data, peer))
                call.last_cancel = at - answered
            elif data.startswith(b"SIP/2.0 200") and sock is self._caller and call_id in data:
                call.answer_passed_on, ok = at - answered, data
        for cancel in cancels:  # once all are there, so that no answer's time counts
            _reply(*cancel, "200 OK")
            _reply(*_cancelled(cancel[1], rung), "487 Request Terminated")
        self._hang_up(ok, deadline)
        return call

    def ring(self, seconds: float = 5.0) -> Call:
        """Make one call to members played by somebody else; only the time until 180 is taken."""
        deadline = time.monotonic() + seconds
        call_id, sent = self._invite()
        at, data = self._await(b"SIP/2.0 180", call_id, deadline)
        call = Call(ringing=at - sent)
        if not data.startswith(b"SIP/2.0 200"):
            _, data = self._await(b"SIP/2.0 200", call_id, deadline)
        self._hang_up(data, deadline)
        return call

    def first_call(self, seconds: float = 30.0) -> float:
        """Repeat an INVITE until somebody listens and the call is answered; return the milliseconds since now."""
        deadline = time.monotonic() + seconds
        self._number += 1
        text, call_id = self._text(self._number)
        began = time.perf_counter_ns() / 1e6
        while True:
            self._caller.sendto(text, self._system)
            try:
                at, sock, data, peer = self._receive(min(deadline, time.monotonic() + 0.01))
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
                continue
            if data.startswith(b"INVITE ") and sock is not self._caller:
                _reply(sock, data, peer, "200 OK", SDP)
            elif data.startswith(b"SIP/2.0 200") and sock is self._caller and call_id in data:
                self._hang_up(data, deadline)
                return at - began

    # -- inside -----------------------------------------------------------------------------------------------

    def _invite(self) -> tuple[bytes, float]:
        self._number += 1
        text, call_id = self._text(self._number)
        sent = time.perf_counter_ns() / 1e6
        self._caller.sendto(text, self._system)
        return call_id, sent

    def _text(self, number: int) -> tuple[bytes, bytes]:
        port = _port(self._caller)
        call_id = f"probe-{os.getpid()}-{port}-{number}"
        lines = [
            f"INVITE sip:600@127.0.0.1:{self._system[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-{call_id}",
            "Max-Forwards: 70",
            f"From: <sip:302@127.0.0.1>;tag={number}",
            f"To: <sip:600@127.0.0.1:{self._system[1]}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 INVITE",
            f"Contact: <sip:302@127.0.0.1:{port}>",
            "Content-Type: application/sdp",
            f"Content-Length: {len(SDP)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + SDP).encode(), call_id.encode()

    def _receive(self, deadline: float) -> tuple[float, socket.socket, bytes, tuple[str, int]]:
        """Return when, where, what and from whom the next datagram came."""
        left = deadline - time.monotonic()
        ready = select.select([self._caller, *self._members], [], [], max(left, 0.0))[0]
        if not ready:
            raise TimeoutError
        data, peer = ready[0].recvfrom(65536)
        return time.perf_counter_ns() / 1e6, ready[0], data, peer

    def _await(self, begin: bytes, call_id: bytes, deadline: float) -> tuple[float, bytes]:
        """Return when and what the caller got that begins like this, or a 200; answer members' requests meanwhile."""
        while True:
            at, sock, data, peer = self._receive(deadline)
            if sock is self._caller and call_id in data and data.startswith((begin, b"SIP/2.0 200")):
                return at, data
            if data.startswith((b"BYE ", b"CANCEL ")):
                _reply(sock, data, peer, "200 OK")

    def _hang_up(self, ok: bytes, deadline: float) -> None:
        headers = dict(line.split(b": ", 1) for line in ok.split(b"\r\n\r\n")[0].split(b"\r\n")[1:])
        target = re.search(rb"<([^>]+)>", headers[b"Contact"])
        assert target, ok
        for number, method in ((b"1", b"ACK"), (b"2", b"BYE")):
            lines = [
                method + b" " + target[1] + b" SIP/2.0",
                b"Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-%b-%b"
                % (_port(self._caller), method, headers[b"Call-ID"]),
                b"Max-Forwards: 70",
                b"From: " + headers[b"From"],
                b"To: " + headers[b"To"],
                b"Call-ID: " + headers[b"Call-ID"],
                b"CSeq: " + number + b" " + method,
                b"Content-Length: 0",
            ]
            self._caller.sendto(b"\r\n".join(lines) + b"\r\n\r\n", self._system)
        hung_up, told = False, not self._members
        while not (hung_up and told):
            _, sock, data, peer = self._receive(deadline)
            if data.startswith(b"BYE "):
                _reply(sock, data, peer, "200 OK")
                told = True
            hung_up = hung_up or (data.startswith(b"SIP/2.0 200") and b" BYE" in data and sock is self._caller)


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("127.0.0.1", port))
    return sock


def _call_id(message: bytes) -> bytes:
    found = re.search(rb"^Call-ID: *(.*?)\r\n", message, re.MULTILINE)
    return found[1] if found else b""


def _branch(message: bytes) -> bytes:
    found = re.search(rb"branch=([^;,\s]+)", message)
    return found[1] if found else b""


def _port(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def _cancelled(cancel: bytes, rung: list[Received]) -> Received:
    """Return the INVITE that a CANCEL is for."""
    wanted = _call_id(cancel), _branch(cancel)
    return next(each for each in rung if (_call_id(each[1]), _branch(each[1])) == wanted)


def _reply(sock: socket.socket, request: bytes, peer: tuple[str, int], status: str, body: str = "") -> None:
    """Answer a request as a member's phone, with a tag of its own in To."""
    head = b"".join(found[0] for found in _HEADER.finditer(request.split(b"\r\n\r\n")[0] + b"\r\n"))
    if not re.search(rb"^To: [^\r]*;tag=", head, re.MULTILINE):
        head = re.sub(rb"^(To: [^\r]*)", rb"\1;tag=m" + _call_id(request)[:8], head, flags=re.MULTILINE)
    lines = [f"Contact: <sip:member@127.0.0.1:{_port(sock)}>"]
    lines += ["Content-Type: application/sdp"] if body else []
    lines += [f"Content-Length: {len(body)}", "", body]
    sock.sendto(f"SIP/2.0 {status}\r\n".encode() + head + "\r\n".join(lines).encode(), peer)
