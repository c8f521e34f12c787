"""What a phone or trunk is shown of the caller (design: caller identity; RFC 3261 §20.4, §20.20, RFC 3323)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from bridge.calls.parties import Caller
from bridge.directory.model import Group


class Identity(NamedTuple):
    """From without its tag, and further headers."""

    from_: str
    extra: dict[str, str]


def to_phone(caller: Caller, group: Group | None, host: str) -> Identity:
    """Return what an attached phone is shown: number, name with the group's prefix, and a ring of the group's own."""
    name = caller.name or caller.number or "anonymous"
    extra = {}
    if group is not None:
        if group.prefix:
            name = f"{group.prefix}: {name}"
        extra["Alert-Info"] = f"<http://{host}>;info={group.name}"
    if not caller.number:
        return Identity(f"{_quoted(name)} <sip:anonymous@anonymous.invalid>", {**extra, "Privacy": "id"})
    return Identity(f"{_quoted(name)} <sip:{_user(caller.number)}@{host}>", extra)


def by_itself(host: str) -> dict[str, str]:
    """Return what asks a phone to answer by itself, in the two ways that phones know."""
    return {
        "Alert-Info": f"<http://{host}>;info=alert-autoanswer;delay=0",
        "Call-Info": f"<sip:{host}>;answer-after=0",
    }


def to_trunk(caller: Caller, username: str, uri_host: str) -> Identity:
    """Return what a PBX is shown: our user name there (it refuses a foreign From), the caller as display name."""
    name = caller.display
    return Identity(f"{_quoted(name)} <sip:{_user(username)}@{uri_host}>", {})


def told(tells: frozenset[str], caller: Caller, diverters: Sequence[str], called: str, uri_host: str) -> dict[str, str]:
    """Return the headers that a PBX wants to be told: who calls, and who has sent the call on (the last one last).

    P-Asserted-Identity (RFC 3325), Diversion (RFC 5806: the last one first), History-Info (RFC 7044). Who is anonymous
    stays so.
    """
    host = f"[{uri_host}]" if ":" in uri_host else uri_host
    extra = {}
    if "P-Asserted-Identity" in tells:
        if caller.number:
            name = f"{_quoted(caller.name)} " if caller.name and caller.name != caller.number else ""
            extra["P-Asserted-Identity"] = f"{name}<sip:{_user(caller.number)}@{host}>"
        else:
            extra["Privacy"] = "id"
    if "Diversion" in tells and diverters:
        extra["Diversion"] = ", ".join(
            f"<sip:{_user(number)}@{host}>;reason=unconditional;counter=1" for number in reversed(diverters)
        )
    if "History-Info" in tells and diverters:
        stops = (*diverters, called)
        indices = [".".join(["1"] * (step + 1)) for step in range(len(stops))]
        extra["History-Info"] = ", ".join(
            f"<sip:{_user(number)}@{host}>;index={index}" + (f";mp={indices[step - 1]}" if step else "")
            for step, (number, index) in enumerate(zip(stops, indices, strict=True))
        )
    return extra


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _user(text: str) -> str:
    return quote(text, safe="-_.!~*'()&=+$,;?/")
