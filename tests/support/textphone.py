"""A phone made of text over one socket: it says to the letter what a test wants, from any host, by UDP or TCP.

It owes nothing to our own stack; what no finished phone does (another address in its answer than it signals from, a
connection that breaks in a talk) is done with it.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time
from itertools import count

from tests.support.networks import Host
from tests.support.process import PATIENCE

_NUMBERS = count(1)


def sdp(host: str, port: int) -> str:
    """Return a description with A-law alone."""
    return (
        f"v=0\r\no=- {port} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=sendrecv\r\n"
    )


def written(host: str) -> str:
    """Return an address as it stands in a URI."""
    return f"[{host}]" if ":" in host else host


def header(message: str, name: str) -> str:
    """Return a header's value."""
    found = re.search(rf"^{name}: *(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)
    assert found, f"no {name} in\n{message}"
    return found[1]


def place_of_media(message: str) -> tuple[str, int]:
    """Return the address and port in a description."""
    host, port = re.search(r"^c=IN IP[46] (\S+)", message, re.MULTILINE), re.search(r"^m=audio (\d+)", message, re.M)
    assert host and port, message
    return host[1], int(port[1])


class TextPhone:
    """The phone of `number` on a host, at its address `own`; it sends to `bridge`. Use as a context manager.

    `through`: a bound socket of that host to speak through, instead of one of its own.
    """

    def __init__(
        self,
        on: Host,
        own: str,
        bridge: tuple[str, int],
        number: str,
        password: str = "",
        *,
        tcp: bool = False,
        through: socket.socket | None = None,
    ) -> None:
        self.own, self.number = own, number
        self._on, self._bridge, self._password, self._tcp = on, bridge, password, tcp
        self._ident = f"text{next(_NUMBERS)}"
        self._cseq = 0
        self._data = b""
        self.heard: list[str] = []
        self.port: int
        if through is None:
            self.connect()
        else:
            through.connect(bridge)
            self.socket = through
            self.port = through.getsockname()[1]

    def __enter__(self) -> TextPhone:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def connect(self) -> None:
        """Open a socket, and connect it."""
        kind = socket.SOCK_STREAM if self._tcp else socket.SOCK_DGRAM
        self.socket = self._on.socket(kind, local=(self.own, 0), remote=self._bridge)
        self.port = self.socket.getsockname()[1]
        self._data = b""

    # -- what it says -----------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Register at the bridge; AssertionError unless it is taken."""
        headers = [f"Contact: <{self.contact}>", "Expires: 300"]
        to = f"<sip:{self.number}@{written(self._bridge[0])}>"
        self.request("REGISTER", f"sip:{written(self._bridge[0])}", to, headers)
        challenge = self.wait(r"^SIP/2.0 401 .*REGISTER")
        uri = f"sip:{written(self._bridge[0])}"
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', header(challenge, "WWW-Authenticate")))
        mine = _md5(f"{self.number}:{given['realm']}:{self._password}")
        proof = _md5(f"{mine}:{given['nonce']}:00000001:c:auth:{_md5(f'REGISTER:{uri}')}")
        credentials = (
            f'Authorization: Digest username="{self.number}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="{uri}", response="{proof}", cnonce="c", qop=auth, nc=00000001, algorithm=MD5'
        )
        self.request("REGISTER", uri, to, [*headers, credentials])
        self.wait(r"^SIP/2.0 200 .*REGISTER")

    @property
    def contact(self) -> str:
        """Its URI."""
        return f"sip:{self.number}@{written(self.own)}:{self.port}{';transport=tcp' if self._tcp else ''}"

    def request(self, method: str, uri: str, to: str, headers: list[str], call_id: str = "", from_: str = "") -> None:
        """Send a request."""
        self._cseq += 1
        transport = "TCP" if self._tcp else "UDP"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{transport} {written(self.own)}:{self.port};rport;branch=z9hG4bK{self._ident}.{self._cseq}",
            "Max-Forwards: 70",
            f"From: {from_ or f'<sip:{self.number}@{written(self._bridge[0])}>;tag={self._ident}'}",
            f"To: {to}",
            f"Call-ID: {call_id or self._ident}",
            f"CSeq: {self._cseq} {method}",
            *headers,
            "Content-Length: 0",
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def within(self, invite: str, method: str) -> None:
        """Send a request in the dialog of a call that has come and was answered."""
        target = re.findall(r"<([^>]+)>", header(invite, "Contact"))[0]
        ours = f"{header(invite, 'To')};tag={self._ident}"
        self.request(method, target, header(invite, "From"), [], header(invite, "Call-ID"), ours)

    def answer(self, request: str, status: str, body: str = "") -> None:
        """Answer a request."""
        to = header(request, "To")
        lines = [
            f"SIP/2.0 {status}",
            *(f"Via: {each}" for each in re.findall(r"^Via: *(.*?)\r$", request, re.MULTILINE)),
            f"From: {header(request, 'From')}",
            f"To: {to}{'' if 'tag=' in to else f';tag={self._ident}'}",
            f"Call-ID: {header(request, 'Call-ID')}",
            f"CSeq: {header(request, 'CSeq')}",
            f"Contact: <{self.contact}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.socket.sendall(("\r\n".join([*lines, "", ""]) + body).encode())

    # -- what it hears ------------------------------------------------------------------------------------------------

    def wait(self, pattern: str, seconds: float = PATIENCE) -> str:
        """Return the next message in which a regular expression is found; `.` is any character."""
        deadline = time.monotonic() + seconds
        wanted = re.compile(pattern, re.DOTALL)
        while (left := deadline - time.monotonic()) > 0:
            message = self._next(left)
            if message is not None:
                self.heard.append(message)
                if wanted.search(message):
                    return message
        raise AssertionError(f"{self.number} heard no {pattern!r} within {seconds:g} s, but\n" + "\n".join(self.heard))

    def _next(self, seconds: float) -> str | None:
        self.socket.settimeout(seconds)
        try:
            more = self.socket.recv(65536)
        except (TimeoutError, ConnectionError):
            more = b""
        if not self._tcp:
            return more.decode() if more.strip() else None
        self._data += more
        head, end, rest = self._data.partition(b"\r\n\r\n")
        length = int(header(head.decode() + "\r\n", "Content-Length")) if end and head.strip() else 0
        if not end or len(rest) < length:
            return None
        self._data = rest[length:]
        if self._data:  # the next one is there already, and is to be found without waiting for more
            self.socket.settimeout(0)
        return (head + end + rest[:length]).decode() if head.strip() else None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
