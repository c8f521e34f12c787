"""Where a REFER leads: a number of ours, or another talk of the referrer's (RFC 3515, RFC 3891)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from bridge.sip.grammar import SipError, uri_of
from bridge.sip.message import Request


class Replaces(NamedTuple):
    """The dialog that a Replaces names: Call-ID, our tag, the other's ("" where it is left out)."""

    call_id: str
    ours: str
    theirs: str
    early_only: bool


class ReferTo(NamedTuple):
    """A Refer-To: its URI without headers, and the dialog that Replaces names, if any."""

    uri: str
    replaces: Replaces | None


def refer_to(request: Request) -> ReferTo:
    """Read a REFER. Raises `SipError` where it asks for anything but an INVITE."""
    values = request.headers.get("Refer-To", [])
    if len(values) != 1:
        raise SipError("a REFER needs exactly one Refer-To")
    uri, _, headers = uri_of(values[0]).partition("?")
    if "method=" in uri.lower() and "method=invite" not in uri.lower():
        raise SipError("Refer-To asks for another method than INVITE", 501)
    for header in headers.split("&"):
        name, _, value = header.partition("=")
        if name.lower() == "replaces":
            return ReferTo(uri, dialog_named(unquote(value)))
    return ReferTo(uri, None)


def dialog_named(replaces: str) -> Replaces:
    """Read a Replaces value: Call-ID;to-tag=ours;from-tag=theirs, perhaps ;early-only."""
    call_id, *parameters = replaces.split(";")
    tags = {name.strip().lower(): value.strip() for name, _, value in (each.partition("=") for each in parameters)}
    if not call_id.strip() or not tags.get("to-tag"):
        raise SipError("Replaces must be a Call-ID with to-tag and from-tag")
    return Replaces(call_id.strip(), tags["to-tag"], tags.get("from-tag", ""), "early-only" in tags)
