"""Cuts a TCP or TLS stream into SIP messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).

A message ends where its Content-Length says, counted from the empty line after its headers. There is no way to find
the next message after a wrong length, so whatever cannot be framed ends the connection: `broken` then says why.
Each byte is looked at a fixed number of times, however small the pieces are in which it comes.
"""

from __future__ import annotations

import re

from bridge.sip.reading import MAX_HEAD

PING = b"\r\n\r\n"
"""Stands among the messages for a keep-alive that wants `PONG` as its answer."""
PONG = b"\r\n"

MAX_BODY = 64 * 1024

_LINE_ENDS = (b"\r", b"\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_START = re.compile(rb"SIP/2\.0 \d{3}|[^\s]+ [^\r\n]+ SIP/\d", re.IGNORECASE)


class StreamFramer:
    """One stream's bytes in, whole messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no end of headers begins before here
        self._needed: int | None = None  # length of the message at the front, once its headers are in
        self.broken: str | None = None
        """Why the stream cannot go on; from then on nothing comes out any more."""

    @property
    def pending(self) -> bool:
        """Whether part of a message is waiting for the rest."""
        return bool(self._buffer) and not self._buffer.startswith(_LINE_ENDS)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream; return the messages (and `PING`s) that are whole now."""
        if self.broken is not None:
            return []
        self._buffer += data
        items: list[bytes] = []
        while (item := self._next()) is not None:
            items.append(item)
        return items

    def _next(self) -> bytes | None:
        if self._needed is None:
            if self._buffer.startswith(_LINE_ENDS):
                return self._line_ends()
            if not self._read_head():
                return None
        if self._needed is None or len(self._buffer) < self._needed:
            return None
        return self._take(self._needed)

    def _take(self, length: int) -> bytes:
        item = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._needed = None
        self._searched = 0
        return item

    def _line_ends(self) -> bytes | None:
        """Take the line ends before a message: two are a ping, one is the answer to ours and says nothing."""
        while self._buffer.startswith(_LINE_ENDS):
            if self._buffer.startswith(PING):
                return self._take(len(PING))
            if PING.startswith(self._buffer):
                return None
            del self._buffer[: 2 if self._buffer.startswith(PONG) else 1]
        return self._next()

    def _read_head(self) -> bool:
        """Find the end of the headers and the message's length; False while it is not known."""
        end = self._buffer.find(b"\r\n\r\n", self._searched, MAX_HEAD)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 3)
            if len(self._buffer) >= MAX_HEAD:
                self._break(f"headers are over {MAX_HEAD} bytes")
            return False
        head = bytes(self._buffer[:end])
        if not _START.match(head):
            self._break(f"start line {head[:40]!r} is neither a request's nor a response's")
            return False
        length = self._body_length(head)
        if length is None:
            return False
        self._needed = end + 4 + length
        return True

    def _body_length(self, head: bytes) -> int | None:
        """Return what Content-Length says, 0 where there is none; None where it cannot be."""
        if b"\n " in head or b"\n\t" in head:
            head = _FOLD.sub(b" ", head)
        lengths = {value.strip() for value in _LENGTH.findall(head)} or {b"0"}
        value = lengths.pop()
        if lengths or not value.isdigit() or len(value) > 9:
            self._break(f"Content-Length {value[:20]!r} must be one number")
            return None
        if int(value) > MAX_BODY:
            self._break(f"body of {int(value)} bytes is over {MAX_BODY}")
            return None
        return int(value)

    def _break(self, why: str) -> None:
        self.broken = why
        self._buffer.clear()
