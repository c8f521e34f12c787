"""A plain UDP socket on loopback: a phone that says nothing, or a sender of whatever bytes a test wants."""

from __future__ import annotations

import re
import select
import socket
import time

from tests.support.process import PATIENCE

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
_ECHOED = re.compile(rb"^(?:Via|From|To|Call-ID|CSeq|Record-Route): .*\r\n", re.MULTILINE)


class Datagrams:
    """A bound socket and all that came to it. Use as a context manager."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._came: list[bytes] = []
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Datagrams:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes, port: int, host: str = "127.0.0.1") -> None:
        """Send one datagram to a port of this machine."""
        self._socket.sendto(data, (host, port))

    def request(self, method: str, user: str, port: int, body: str = "") -> bytes:
        """Send a caller's request for `sip:USER@` a port of this machine, CSeq 1; return its bytes, to send again."""
        lines = [
            f"{method} sip:{user}@127.0.0.1:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK-odd-{self.port}",
            "Max-Forwards: 70",
            f"From: <sip:odd@127.0.0.1>;tag=odd-{self.port}",
            f"To: <sip:{user}@127.0.0.1:{port}>",
            f"Call-ID: odd-{self.port}@127.0.0.1",
            f"CSeq: 1 {method}",
            f"Contact: <sip:odd@127.0.0.1:{self.port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        data = ("\r\n".join([*lines, "", ""]) + body).encode()
        self.send(data, port)
        return data

    def answer(self, request: bytes, status: str, body: str = "", *, port: int) -> None:
        """Answer a request that came from a port of this machine, as a phone would. Same arguments, same bytes."""
        head = b"".join(_ECHOED.findall(request.split(b"\r\n\r\n")[0] + b"\r\n"))
        head = re.sub(rb"^(To: [^\r;]*)(?=\r)", rb"\1;tag=odd-%d" % self.port, head, flags=re.MULTILINE)
        lines = [f"Contact: <sip:odd@127.0.0.1:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        lines += [f"Content-Length: {len(body)}", "", body]
        self.send(f"SIP/2.0 {status}\r\n".encode() + head + "\r\n".join(lines).encode(), port)

    def received(self) -> list[bytes]:
        """Return everything that has come so far."""
        while select.select([self._socket], [], [], 0)[0]:
            self._came.append(self._socket.recv(65536))
        return list(self._came)

    def wait(self, begin: bytes, seconds: float = PATIENCE) -> bytes:
        """Return the first datagram from now on that begins like this."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                data = self._socket.recv(65536)
                self._came.append(data)
                if data.startswith(begin):
                    return data
        raise AssertionError(f"no datagram beginning with {begin!r} within {seconds:g} s; came: {self._came}")
