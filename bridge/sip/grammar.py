"""The grammar of what stands in headers: their names, URIs, addresses, parameters, lists (RFC 3261 §25).

URIs are sipmessage's to read. What its reader does not take (any case of a scheme, URI headers) is normalised here
first, and what would cost it more than linear time is refused first. The rest is read here, in time linear in its
length: quoted strings in parameters, display names that somebody forgot to quote. What is remembered of values seen
before is bounded, values included.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sipmessage import URI, Address, Parameters

_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_ODD_CASE = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "www-authenticate": "WWW-Authenticate",
    "mime-version": "MIME-Version",
    "rack": "RAck",
    "rseq": "RSeq",
    "sip-etag": "SIP-ETag",
    "sip-if-match": "SIP-If-Match",
    "p-called-party-id": "P-Called-Party-ID",
    "min-se": "Min-SE",
}
TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
MAX_NAME = 256
MAX_URI = 1024
MAX_ADDRESS = 4096

_QUOTED = re.compile(r'\s*+"(?:[^"\\]|\\.)*+"')
_QUOTED_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?|<[^>]*+>?)|,')  # what is never closed reaches to the end
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+\Z")
_SUBSCRIBER = re.compile(r"\+?[0-9A-Fa-f*#\-.()]{1,64}\Z")  # a telephone number, RFC 3966 §3
_PARAMETER = re.compile(
    r"\s*+;\s*+([A-Za-z0-9\-.!%*_+`'~]++)"  # ; name
    r'(?:\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^\s;,"]++))?\s*+'  # = quoted string, token or host
)


class SipError(ValueError):
    """A message that cannot be taken as it is. `status` is the answer that is due where one can be given."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@lru_cache(maxsize=512)
def canonical(name: str) -> str:
    """Return a header's canonical name for any case and compact form; `name` has at most `MAX_NAME` characters."""
    lower = name.lower()
    return _COMPACT.get(lower) or _ODD_CASE.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


@lru_cache(maxsize=1024)
def parse_uri(text: str) -> URI:
    """Parse a SIP, SIPS or TEL URI. URI headers (`?...`) are dropped. Raises `SipError` (416 for other schemes)."""
    if len(text) > MAX_URI:
        raise SipError(f"URI {text[:80]!r}... must have at most {MAX_URI} characters", 414)
    if not text.isascii():
        raise SipError(f"URI {text[:80]!r} must be in ASCII, with escapes for the rest")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips", "tel"):
        known = colon and _SCHEME.match(scheme)
        raise SipError(f"URI {text[:80]!r}: the scheme must be sip, sips or tel", 416 if known else 400)
    rest = without_headers(rest)
    if scheme == "tel" and not _SUBSCRIBER.match(rest.partition(";")[0]):
        raise SipError(f"URI {text[:80]!r} must have a telephone number")
    user, at, host = rest.rpartition("@")
    try:
        uri = URI.parse(f"{scheme}:{user.replace('#', '%23')}{at}{host}")  # many a phone dials # as it is
    except (ValueError, TypeError):  # TypeError: sipmessage takes parameters as keyword arguments
        raise SipError(f"URI {text[:80]!r} is not valid") from None
    if uri.port is not None and not 0 < uri.port < 65536:
        raise SipError(f"URI {text[:80]!r}: port must be 1 to 65535")
    return uri


def without_headers(uri: str) -> str:
    """Return a URI without its headers (`?...`), which nobody is to write for us (RFC 3261 §19.1.5)."""
    user, at, host = uri.partition("@")
    return f"{user}@{host.partition('?')[0]}" if at else user.partition("?")[0]


@lru_cache(maxsize=512)
def parse_address(text: str) -> Address:
    """Parse a From, To, Contact or Route value. Raises `SipError`."""
    if len(text) > MAX_ADDRESS:
        raise SipError(f"address {text[:80]!r}... must have at most {MAX_ADDRESS} characters")
    start = _bracket(text)
    end = text.find(">", start) if start >= 0 else text.find(";")
    if start >= 0 and end < 0:
        raise SipError(f"address {text[:80]!r} must have a > behind its <")
    uri = text[start + 1 : end if end >= 0 else len(text)].strip()
    if start < 0 and "?" in uri:
        raise SipError(f"URI {uri[:80]!r} must stand in < and >, for it has headers")  # RFC 3261 §20.10
    name = _display_name(text[:start].strip()) if start >= 0 else ""
    rest = text[end + (start >= 0) :] if end >= 0 else ""
    try:
        return Address(uri=parse_uri(uri), name=name, parameters=Parameters(**parse_parameters(rest)))
    except TypeError:  # a parameter "self"
        raise SipError(f"address {text[:80]!r} is not valid") from None
    except SipError as error:
        raise SipError(str(error)) from None  # a scheme that we do not have is 416 in a request line only


def _bracket(value: str) -> int:
    """Return where a value's URI opens with `<`, after its display name; -1 where it has no brackets."""
    name = _QUOTED.match(value)
    return value.find("<", name.end() if name else 0)


def _display_name(text: str) -> str:
    """Return a display name as people read it. Quotes that are missing altogether are inferred (RFC 4475 §3.1.2.15)."""
    if '"' not in text:
        return " ".join(text.split())
    whole = _QUOTED.match(text)
    if whole is None or whole.end() != len(text):
        raise SipError(f"display name {text[:80]!r} must stand in a pair of quotes")
    return _ESCAPE.sub(r"\1", text[1:-1])


def parse_parameters(text: str) -> dict[str, str | None]:
    """Parse `;name=value;name...` of a header (not of a URI), names and values as written. Raises `SipError`."""
    found: dict[str, str | None] = {}
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _PARAMETER.match(text, at)
        if match is None:
            raise SipError(f"parameters {text[at : at + 40]!r} must be like ;name=value")
        found[match[1]] = match[2]
        at = match.end()
    return found


def split_list(value: str) -> list[str]:
    """Split a comma-separated header value; commas in quotes and brackets stay (RFC 3261 §7.3.1)."""
    if "," not in value:
        return [value]
    parts, start = [], 0
    for match in _QUOTED_COMMA.finditer(value):
        if match.group(1) is None:
            parts.append(value[start : match.start()].strip())
            start = match.end()
    parts.append(value[start:].strip())
    return parts


def tag_of(value: str) -> str | None:
    """Return the tag parameter of a From or To value, without parsing the rest."""
    at = value.find(";tag=", value.rfind(">") + 1)
    if at >= 0:  # as everybody writes it
        return value[at + 5 :].partition(";")[0].strip() or None
    parameters = value.rpartition(">")[2] if "<" in value else value.partition(";")[2]
    for part in parameters.split(";"):
        key, _, tag = part.partition("=")
        if key.strip().lower() == "tag":
            return tag.strip() or None
    return None


def uri_of(value: str) -> str:
    """Return the URI of a From, To, Contact or Route value as it is written."""
    start = _bracket(value)
    if start >= 0:
        return value[start + 1 : value.find(">", start)].strip()
    return value.partition(";")[0].strip()
