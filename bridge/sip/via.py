"""The topmost Via: the key of a transaction, and the way back for its responses (RFC 3261 §17.2.3, §18.2; RFC 3581)."""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.sip.flow import Flow
from bridge.sip.grammar import parse_via, split_list
from bridge.sip.message import Request

MAGIC = "z9hG4bK"
_SIMPLE = re.compile(
    r"SIP/2\.0/[A-Za-z]+ ([A-Za-z0-9.\-]+)(?::(\d{1,5}))?((?:;[A-Za-z0-9\-]+(?:=[A-Za-z0-9.\-_+]+)?)*)\Z"
)


class TopVia(NamedTuple):
    """What of the topmost Via matters; `sent_by` is host[:port] in lower case, `port` None where it names none."""

    sent_by: str
    host: str
    port: int | None
    branch: str
    rport: bool


def top_via(value: str) -> TopVia:
    """Read the first value of a Via header. Raises `SipError`."""
    match = _SIMPLE.match(value)
    if match is None:
        return _slow(value)
    host, port, parameters = match.groups()
    branch, rport = "", False
    for part in parameters.split(";"):
        key, _, text = part.partition("=")
        key = key.lower()
        if key == "branch":
            branch = text
        elif key == "rport":
            rport = True
    host = host.lower()
    return TopVia(f"{host}:{port}" if port else host, host, int(port) if port else None, branch, rport)


def _slow(value: str) -> TopVia:
    via = parse_via(" ".join(split_list(value)[0].split()))
    names = {key.lower(): text for key, text in via.parameters.items()}
    host = via.host.lower()
    sent_by = f"{host}:{via.port}" if via.port else host
    return TopVia(sent_by, host, via.port, names.get("branch") or "", "rport" in names)


def stamp_source(request: Request, via: TopVia, flow: Flow) -> Flow:
    """Write `received` and `rport` into the request's topmost Via; return the flow that its responses take.

    On UDP without rport they go to the source's host and the port that the Via names (RFC 3261 §18.2.2); with it, and
    on connections, to where the request came from.
    """
    values = request.headers["Via"]
    host = via.host.strip("[]")
    if via.rport:
        text = re.sub(r";\s*rport(?:\s*=\s*\d*)?(?=[;,\s]|\Z)", f";rport={flow.port}", values[0], count=1, flags=re.I)
        values[0] = _with_parameter(text, f"received={flow.host}")
        return flow
    if host != flow.host:
        values[0] = _with_parameter(values[0], f"received={flow.host}")
    if flow.reliable:
        return flow
    return flow._replace(port=via.port or 5060)


def _with_parameter(value: str, parameter: str) -> str:
    first, comma, rest = value.partition(",")
    return f"{first};{parameter}{comma}{rest}"
