"""The topmost Via: the key of a transaction, and the way back for its responses (RFC 3261 §17.2.3, §18.2; RFC 3581)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_parameters, split_list
from bridge.sip.message import Request

MAGIC = "z9hG4bK"

_HOST = r"([A-Za-z0-9.\-_]++|\[[0-9A-Fa-f:.]++\])"
_SIMPLE = re.compile(
    r"SIP/2\.0/[A-Za-z]+ ([A-Za-z0-9.\-]+)(?::([0-9]{1,5}))?((?:;[A-Za-z0-9\-]+(?:=[A-Za-z0-9.\-_+]+)?)*)\Z"
)
_USUAL = re.compile(
    r"SIP/2\.0/[A-Za-z]+ ([A-Za-z0-9.\-]+)(?::([0-9]{1,5}))?(;rport)?;branch=([A-Za-z0-9.\-_+]+)(;rport)?\Z"
)
_ANY = re.compile(rf"SIP\s*+/\s*+2\.0\s*+/\s*+[^\s/;,]++\s++{_HOST}\s*+(?::\s*+([0-9]{{1,5}}))?", re.IGNORECASE)
_WRONG = re.compile(rf"[^\s/]++\s*+/\s*+[^\s/]++\s*+/\s*+[^\s/;,]++\s++{_HOST}(?::([0-9]{{1,5}}))?")
_RPORT = re.compile(r";\s*+rport(?:\s*+=\s*+[0-9]*+)?(?=[;,\s]|\Z)", re.IGNORECASE)


class TopVia(NamedTuple):
    """What of the topmost Via matters; `sent_by` is host[:port] in lower case, `port` None where it names none."""

    sent_by: str
    host: str
    port: int | None
    branch: str
    rport: bool


def top_via(value: str) -> TopVia:
    """Read the first value of a Via header. Raises `SipError`."""
    match = _USUAL.match(value)
    if match is not None:
        return _top_via(match[1], match[2], match[4], match[3] is not None or match[5] is not None)
    match = _SIMPLE.match(value)
    if match is None:
        return _slow(split_list(value)[0])
    host, port, parameters = match.groups()
    branch, rport = "", False
    for part in parameters.split(";"):
        key, _, text = part.partition("=")
        key = key.lower()
        if key == "branch":
            branch = text
        elif key == "rport":
            rport = True
    return _top_via(host, port, branch, rport)


def _slow(value: str) -> TopVia:
    match = _ANY.match(value)
    if match is None:
        raise SipError(f"Via {value[:80]!r} must be like SIP/2.0/UDP host:port;branch=z9hG4bK...")
    names = {key.lower(): text for key, text in parse_parameters(value[match.end() :]).items()}
    return _top_via(match[1], match[2], names.get("branch") or "", "rport" in names)


def _top_via(host: str, port: str | None, branch: str, rport: bool) -> TopVia:
    sent_by, host, number = _sent_by(host, port)
    return TopVia(sent_by, host, number, branch, rport)


@lru_cache(maxsize=512)
def _sent_by(host: str, port: str | None) -> tuple[str, str, int | None]:
    host = host.lower()
    number = int(port) if port else None
    if number is not None and not 0 < number < 65536:
        raise SipError(f"Via {host}:{port}: port must be 1 to 65535")
    return f"{host}:{port}" if port else host, host, number


def translated(value: str) -> bool:
    """Whether a Via of ours has come back with another address or port than it went with (RFC 3581 §4): NAT between."""
    try:
        via = top_via(value)
        names = parse_parameters(";" + split_list(value)[0].partition(";")[2])
    except SipError:
        return False
    host, port = names.get("received") or via.host, names.get("rport") or str(via.port)
    return (host.strip("[]").lower(), port) != (via.host.strip("[]"), str(via.port))


def way_back(request: Request, flow: Flow) -> Flow | None:
    """Return where a request is refused to whose Via may be wrong; None where not even its host can be read."""
    value = request.headers.get("Via", [""])[0]
    match = _WRONG.match(value)
    if match is None or flow.reliable or "rport" in value:
        return flow if match else None
    port = int(match[2] or 5060)
    return flow._replace(port=port) if 0 < port < 65536 else None


def stamp_source(request: Request, via: TopVia, flow: Flow) -> Flow:
    """Write `received` and `rport` into the request's topmost Via; return the flow that its responses take.

    On UDP without rport they go to the source's host and the port that the Via names (RFC 3261 §18.2.2); with it, and
    on connections, to where the request came from.
    """
    values = request.headers["Via"]
    host = via.host.strip("[]")
    if via.rport:
        text = _RPORT.sub(f";rport={flow.port}", values[0], count=1)
        values[0] = _with_parameter(text, f"received={flow.host}")
        return flow
    if host != flow.host:
        values[0] = _with_parameter(values[0], f"received={flow.host}")
    if flow.reliable:
        return flow
    port = via.port or 5060
    return flow if flow.port == port else flow._replace(port=port)


def _with_parameter(value: str, parameter: str) -> str:
    first, comma, rest = value.partition(",")
    return f"{first};{parameter}{comma}{rest}"
