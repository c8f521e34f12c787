"""The grammar of what stands in headers: their names, URIs, addresses, lists, Via values (RFC 3261 §25).

sipmessage reads the values. What its reader does not take (any case of a scheme, URI headers, commas in quotes) is
normalised here first, and what would cost it more than linear time is refused first.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sipmessage import URI, Address, Parameters, Via

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
_QUOTED = re.compile(r'\s*"(?:[^"\\]|\\.)*+"')
_QUOTED_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?|<[^>]*+>?)|,')  # what is never closed reaches to the end


class SipError(ValueError):
    """A message that cannot be taken as it is. `status` is the answer that is due where one can be given."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@lru_cache(maxsize=512)
def canonical(name: str) -> str:
    """Return a header's canonical name for any case and compact form."""
    lower = name.lower()
    return _COMPACT.get(lower) or _ODD_CASE.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


@lru_cache(maxsize=2048)
def parse_uri(text: str) -> URI:
    """Parse a SIP, SIPS or TEL URI. URI headers (`?...`) are dropped. Raises `SipError` (416 for other schemes)."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips", "tel"):
        raise SipError(f"URI {text[:80]!r}: the scheme must be sip, sips or tel", 416 if colon else 400)
    head, at, host = rest.partition("@")
    rest = head + at + host.split("?", 1)[0] if at else head.split("?", 1)[0]
    try:
        uri = URI.parse(f"{scheme}:{rest}")
    except (ValueError, TypeError):  # TypeError: sipmessage takes parameters as keyword arguments
        raise SipError(f"URI {text[:80]!r} is not valid") from None
    if uri.port is not None and not 0 < uri.port < 65536:
        raise SipError(f"URI {text[:80]!r}: port must be 1 to 65535")
    return uri


@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address:
    """Parse a From, To, Contact or Route value. Raises `SipError`."""
    try:
        bracket = _bracket(text)
        if bracket >= 0:  # URIs in brackets go by our own reader, which takes what sipmessage's refuses
            close = text.index(">", bracket)
            uri = parse_uri(text[bracket + 1 : close].strip())
            plain = Address.parse(f"{text[:bracket]}<sip:x>{text[close + 1 :]}")
            return Address(uri=uri, name=plain.name, parameters=plain.parameters)
        uri_text, _, parameters = text.partition(";")
        uri = parse_uri(uri_text.strip())
        return Address(uri=uri, parameters=Parameters.parse(";" + parameters if parameters else ""))
    except SipError:
        raise
    except (ValueError, TypeError):
        raise SipError(f"address {text[:80]!r} is not valid") from None


def _bracket(value: str) -> int:
    """Return where a value's URI opens with `<`, after its display name; -1 where it has no brackets."""
    name = _QUOTED.match(value)
    return value.find("<", name.end() if name else 0)


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


@lru_cache(maxsize=512)
def parse_via(text: str) -> Via:
    """Parse one Via value. Raises `SipError`."""
    try:
        return Via.parse(text)
    except (ValueError, TypeError):
        raise SipError(f"Via {text[:80]!r} is not valid") from None
