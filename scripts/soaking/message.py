"""SIP messages as the soak's phones read and write them: text, and nothing that the bridge's own parser would lend."""

from __future__ import annotations

import re
from collections.abc import Sequence

Headers = list[tuple[str, str]]

_TAG = re.compile(r";\s*tag=([^;\s>]+)")
_BRANCH = re.compile(r";\s*branch=([^;\s]+)")
_URI = re.compile(r"<([^>]*)>")


class Message:
    """A request or a response: its first line, its headers in order (names in lower case), its body."""

    __slots__ = ("body", "first", "headers")

    def __init__(self, first: str, headers: Headers, body: str = "") -> None:
        self.first = first
        self.headers = headers
        self.body = body

    @classmethod
    def read(cls, data: bytes) -> Message:
        """Read a datagram. Raises ValueError for what is no message."""
        head, end, body = data.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        if not end or "SIP/2.0" not in first:
            raise ValueError(f"no SIP message: {data[:200]!r}")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        return cls(first, headers, body)

    def __bytes__(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        if self.body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(self.body.encode())}")
        return ("\r\n".join([*lines, "", ""]) + self.body).encode()

    def get(self, name: str) -> str:
        """Return the first header of a name, "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> Headers:
        """Return all headers of a name."""
        return [(key, value) for key, value in self.headers if key == name]

    @property
    def status(self) -> int:
        """The status of a response, 0 of a request."""
        return int(self.first[8:11]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method, of a response that of its request."""
        return self.get("cseq").partition(" ")[2] if self.status else self.first.partition(" ")[0]

    @property
    def sequence(self) -> int:
        """The number in CSeq."""
        return int(self.get("cseq").partition(" ")[0])

    @property
    def branch(self) -> str:
        """The branch of the topmost Via."""
        return _found(_BRANCH, self.get("via"))

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.get("call-id")

    @property
    def from_tag(self) -> str:
        """The tag in From."""
        return _found(_TAG, self.get("from"))

    @property
    def to_tag(self) -> str:
        """The tag in To, "" where there is none."""
        return _found(_TAG, self.get("to"))

    @property
    def contact(self) -> str:
        """The URI in Contact."""
        return _found(_URI, self.get("contact"))


def answer(request: Message, status: int, phrase: str, tag: str, more: Sequence[tuple[str, str]], body: str) -> Message:
    """Return the response to a request; `tag` goes to To where that has none."""
    to = request.get("to")
    if tag and status > 100 and not request.to_tag:
        to = f"{to};tag={tag}"
    copied = [("From", request.get("from")), ("To", to), ("Call-ID", request.call_id), ("CSeq", request.get("cseq"))]
    route = request.all("record-route") if status < 300 else []
    return Message(f"SIP/2.0 {status} {phrase}", [*request.all("via"), *route, *copied, *more], body)


def description(host: str, port: int, version: int, direction: str = "sendrecv") -> str:
    """Return a description of sound: G.711 of both laws, and keys."""
    return (
        f"v=0\r\no=- {port} {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
