"""SIP messages: a start line, headers and a body (RFC 3261 §7); what stands in the headers is `grammar`'s.

A message keeps its headers as text under their canonical names and parses a value only when it is asked for, because
a B2BUA touches few of the headers of most messages.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sipmessage import Address, CSeq

from bridge.sip.grammar import TOKEN, SipError, parse_address, split_list, tag_of, uri_of, without_headers
from bridge.sip.multipart import MULTIPART, SDP, description_in, kind_of

_ECHOED = ("Via", "From", "To", "Call-ID", "CSeq")

PHRASES = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    606: "Not Acceptable",
}


class Body(NamedTuple):
    """A body and its Content-Type."""

    type: str
    data: bytes


class Message:
    """What requests and responses share. `headers`: canonical name to values, in their order."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: dict[str, list[str]] | None = None, body: bytes = b"") -> None:
        self.headers: dict[str, list[str]] = {} if headers is None else headers
        self.body = body

    def get(self, name: str) -> str | None:
        """Return the first value of a header (by its canonical name), or None."""
        values = self.headers.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Return every value of a list header, commas split."""
        return [part for value in self.headers.get(name, ()) for part in split_list(value)]

    def tokens(self, name: str) -> list[str]:
        """Return every token of a header like Require or Supported, in lower case."""
        return [token.lower() for token in self.all(name) if token]

    def set(self, name: str, value: str) -> None:
        """Replace a header by one value."""
        self.headers[name] = [value]

    def need(self, name: str) -> str:
        """Return the first value of a mandatory header. Raises `SipError`."""
        values = self.headers.get(name)
        if not values:
            raise SipError(f"header {name} is missing")
        return values[0]

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.need("Call-ID")

    @property
    def content(self) -> Body | None:
        """The body with its type, None where there is none."""
        return Body(self.get("Content-Type") or "application/sdp", self.body) if self.body else None

    @property
    def description(self) -> Body | None:
        """The session description in the body, alone or among other parts; else the body as it is."""
        content = self.content
        if content is None or kind_of(content.type) not in MULTIPART:
            return content
        try:
            found = description_in(content.type, content.data)
        except ValueError:
            return content
        return None if found is None else Body(SDP, found)

    def put(self, body: Body | None) -> None:
        """Set the body and its type."""
        if body is not None:
            self.headers["Content-Type"] = [body.type]
            self.body = body.data

    @property
    def from_(self) -> Address:
        """The From address. Raises `SipError`."""
        return parse_address(self.need("From"))

    @property
    def to(self) -> Address:
        """The To address. Raises `SipError`."""
        return parse_address(self.need("To"))

    @property
    def from_tag(self) -> str | None:
        """The From tag."""
        return tag_of(self.need("From"))

    @property
    def to_tag(self) -> str | None:
        """The To tag."""
        return tag_of(self.need("To"))

    @property
    def cseq(self) -> CSeq:
        """The CSeq. Raises `SipError`."""
        return _cseq(self.need("CSeq"))

    @property
    def contact(self) -> str | None:
        """The first Contact's URI without headers, None where there is none or it is `*`. Raises `SipError`."""
        values = self.all("Contact")
        if not values or values[0] == "*":
            return None
        return _contact_uri(values[0])

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a header that is a number of seconds or hops. Raises `SipError` where it is none."""
        value = self.get(name)
        if value is None:
            return default
        digits = value.split(";", 1)[0].split("(", 1)[0].strip()
        if not (digits.isascii() and digits.isdigit()):
            raise SipError(f"header {name}: {value[:40]!r} must be a number")
        return min(int(digits[:12]), 2**32 - 1)

    def _written(self, start_line: str) -> bytes:
        lines = [start_line]
        for name, values in self.headers.items():
            if name != "Content-Length":
                lines.extend([f"{name}: {value}" for value in values])
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """A request. `uri` is the Request-URI as text."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: dict[str, list[str]] | None = None, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def __bytes__(self) -> bytes:
        return self._written(f"{self.method} {self.uri} SIP/2.0")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message):
    """A response."""

    __slots__ = ("code", "phrase")

    def __init__(
        self, code: int, phrase: str = "", headers: dict[str, list[str]] | None = None, body: bytes = b""
    ) -> None:
        super().__init__(headers, body)
        self.code = code
        self.phrase = phrase or PHRASES.get(code, "Unknown")

    def __bytes__(self) -> bytes:
        return self._written(f"SIP/2.0 {self.code} {self.phrase}")

    def __repr__(self) -> str:
        return f"<Response {self.code} {self.phrase}>"


@lru_cache(maxsize=512)
def _contact_uri(value: str) -> str:
    parse_address(value)
    return without_headers(uri_of(value))


@lru_cache(maxsize=1024)
def _cseq(value: str) -> CSeq:
    number, _, method = value.replace("\t", " ").partition(" ")
    method = method.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and TOKEN.match(method)):
        raise SipError(f"CSeq {value[:40]!r} must be a number below 2^31 and a method")
    sequence = int(number)
    if sequence >= 1 << 31:
        raise SipError(f"CSeq {value[:40]!r} must be below 2^31")
    return CSeq(sequence, method)


def response_to(request: Request, code: int, phrase: str = "", to_tag: str | None = None) -> Response:
    """Return a response with what it echoes of its request (RFC 3261 §8.2.6); `to_tag` is added where none is."""
    asked = request.headers
    headers = {name: asked[name][:] for name in _ECHOED if name in asked}
    if to_tag is not None and "To" in headers and tag_of(headers["To"][0]) is None:
        headers["To"] = [f"{headers['To'][0]};tag={to_tag}"]
    return Response(code, phrase, headers)
