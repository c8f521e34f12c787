"""Bodies of several parts (RFC 2046 §5.1, RFC 5621): the session description among them.

Providers and emergency services put the description beside other things (ISUP, a location, a list), which are none of
ours. What cannot be taken apart is left as it is, for whoever reads it to refuse.
"""

from __future__ import annotations

import base64
import binascii
import re

SDP = "application/sdp"
MULTIPART = frozenset({"multipart/mixed", "multipart/alternative", "multipart/related"})

_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_MOST_PARTS = 20
_DEEPEST = 3
_OTHER_SESSIONS = ("early-session", "render", "icon", "alert")


def kind_of(content_type: str) -> str:
    """Return a Content-Type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def description_in(content_type: str, data: bytes, depth: int = 0) -> bytes | None:
    """Return the session description in a body of several parts; None where there is none.

    Raises ValueError where the parts cannot be told apart.
    """
    found = _BOUNDARY.search(content_type)
    if found is None or depth >= _DEEPEST:
        raise ValueError("a body of several parts needs a boundary")
    parts = _parts(data, (found[1] or found[2]).encode("ascii", "replace"))
    if kind_of(content_type) == "multipart/alternative":  # the last is the one that its sender likes best
        parts.reverse()
    for headers, inner in parts:
        kind = headers.get("content-type", "text/plain")
        disposition = headers.get("content-disposition", "session").lower()
        if kind_of(kind) == SDP and not disposition.startswith(_OTHER_SESSIONS):
            return _decoded(headers, inner)
        if kind_of(kind) in MULTIPART:
            nested = description_in(kind, inner, depth + 1)
            if nested is not None:
                return nested
    return None


def _parts(data: bytes, boundary: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Return headers, in lower case, and content of each part."""
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)", data)[2::2]
    return [_part(piece) for piece in pieces[:-1][:_MOST_PARTS]] if len(pieces) > 1 else []


def _part(piece: bytes) -> tuple[dict[str, str], bytes]:
    if piece.startswith((b"\r\n", b"\n")):
        return {}, piece.lstrip(b"\r\n")
    head, _, content = piece.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    lines = re.sub(r"\r?\n[ \t]+", " ", head.decode("utf-8", "replace")).splitlines()
    named = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in named}, content


def _decoded(headers: dict[str, str], content: bytes) -> bytes:
    if headers.get("content-transfer-encoding", "binary").lower() != "base64":
        return content
    try:
        return base64.b64decode(content, validate=False)
    except binascii.Error as error:
        raise ValueError("a part is no base64") from error
