"""Reads messages from the bytes of a datagram or of a framed stream (RFC 3261 §7, §18.3).

Whatever bytes come, either a message comes of them or a `SipError`, in time linear in their number. What is wrong in a
request is told together with what could be read of it, so that it can be refused with the status that is due
(RFC 4475): only that is dropped of which nobody could know where an answer should go.
"""

from __future__ import annotations

import re

from bridge.sip.checks import KNOWN
from bridge.sip.grammar import MAX_NAME, TOKEN, SipError, canonical
from bridge.sip.message import Request, Response

MAX_HEAD = 32 * 1024
MAX_HEADERS = 256
MAX_LINE = 8192

_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"\r?\n")
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?\Z", re.IGNORECASE)
_METHODS = {method: method for method in KNOWN}
"""One text for each, as transactions that wait for their last timer keep theirs."""
_ONCE = frozenset({"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"})


class Unreadable(SipError):
    """A message that cannot be read whole. `request`: what could be read of one that is owed an answer, else None."""

    def __init__(self, fault: SipError, request: Request | None) -> None:
        super().__init__(str(fault), fault.status)
        self.request = request


def parse_message(data: bytes) -> Request | Response:
    """Parse one whole message as it came in a datagram or off a framed stream.

    Folded lines are joined, names canonical; the body is cut to Content-Length (RFC 3261 §18.3). Raises `SipError`,
    which is `Unreadable` where headers could be read.
    """
    head, body = _parted(data)
    lines = _lines(head)
    message, fault = _start(lines[0])
    headers = message.headers
    if len(lines) > MAX_HEADERS:
        fault = fault or SipError(f"message has over {MAX_HEADERS} header lines", 513)
        del lines[MAX_HEADERS:]
    for number, line in enumerate(lines[1:], 1):
        name, colon, value = line.partition(":")
        if not colon or len(line) > MAX_LINE or len(name) > MAX_NAME:
            what = f"a name of at most {MAX_NAME} characters, a colon and at most {MAX_LINE} characters"
            # not what stands in it, which may be a piece of an answer to a challenge
            fault = fault or SipError(f"header line {number} must be {what}")
            continue
        key = canonical(name.strip())
        values = headers.get(key)
        if values is None:
            headers[key] = [value.strip()]
        elif key not in _ONCE:
            values.append(value.strip())
        elif value.strip() != values[0]:
            fault = fault or SipError(f"header {key} must not be there twice")
    try:
        message.body = _cut(body, headers.get("Content-Length"))
    except SipError as error:
        fault = fault or error
    if fault is not None:
        raise Unreadable(fault, message if isinstance(message, Request) else None)
    return message


def _parted(data: bytes) -> tuple[str, bytes]:
    """Return the text before the empty line, and the body."""
    data = data.lstrip(b"\r\n")
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = data.partition(b"\n\n")
        if not separator:
            raise SipError("message has no empty line after its headers")
    if len(head) > MAX_HEAD:
        raise SipError(f"headers have over {MAX_HEAD} bytes", 513)
    return head.decode("utf-8", "surrogateescape"), body


def _lines(text: str) -> list[str]:
    """Return the start line and the header lines, unfolded. Lines that end with LF alone are taken, CR alone is not."""
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    ends = len(lines) - 1
    if text.count("\n") != ends or text.count("\r") != ends:
        lines = _LINE_END.split(text)
        if any("\r" in line for line in lines):
            raise SipError("message has a CR that ends no line")
    return lines


def _start(line: str) -> tuple[Request | Response, SipError | None]:
    """Read a start line: the message that begins so, and what is wrong about a request that can still be answered."""
    status = _STATUS.match(line)
    if status:
        phrase = status.group(2) or ""  # for people, who are told it in many places
        if not phrase.isprintable():
            phrase = "".join(character for character in phrase if character.isprintable())
        return Response(int(status.group(1)), phrase), None
    words = line.split()
    if len(words) < 3 or not TOKEN.match(words[0]) or not words[-1].upper().startswith("SIP/"):
        raise SipError(f"start line {line[:60]!r} is neither a request's nor a response's")
    fault = None
    if words[-1].upper() != "SIP/2.0":
        fault = SipError(f"version {words[-1][:20]!r} must be SIP/2.0", 505)
    elif len(words) > 3:
        fault = SipError(f"Request-URI {' '.join(words[1:-1])[:80]!r} must be without spaces")
    return Request(_METHODS.get(words[0], words[0]), words[1]), fault


def _cut(body: bytes, length: list[str] | None) -> bytes:
    """Return the body as long as Content-Length says; whole where it says nothing."""
    if length is None:
        return body
    text = length[0]
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise SipError(f"Content-Length {text[:20]!r} must be a number")
    if int(text) > len(body):
        raise SipError(f"body has {len(body)} bytes, Content-Length says {text}")
    return body[: int(text)]
