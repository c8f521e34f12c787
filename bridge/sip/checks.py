"""What a new request is refused for before anybody decides on it, and with which status (RFC 3261 §8.2)."""

from __future__ import annotations

from typing import NamedTuple

from bridge.sip.dialog import dialog_as_callee
from bridge.sip.flow import Flow
from bridge.sip.grammar import MAX_URI, SipError, parse_uri, uri_of
from bridge.sip.message import Request
from bridge.sip.multipart import MULTIPART, SDP, kind_of
from bridge.sip.session_timer import LEAST, too_brief
from bridge.sip.via import MAGIC

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, MESSAGE, REFER, REGISTER, SUBSCRIBE, NOTIFY"
KNOWN = frozenset((*ALLOW.split(", "), "PUBLISH"))
EXTENSIONS = frozenset({"replaces", "timer", "100rel"})
MAX_BODY = 16 * 1024
"""Of a description of media, which is kept as long as its call hunts, once for each phone that rings."""

_IN_A_DIALOG = frozenset({"BYE", "INFO", "NOTIFY", "PRACK", "UPDATE"})
_SDP = frozenset({"application/sdp", "application/*", "*/*"})


class Refusal(NamedTuple):
    """A status, and headers that go with it."""

    status: int
    extra: dict[str, list[str]]


def refusal(request: Request, flow: Flow) -> Refusal | None:
    """Return how a request outside any dialog is to be refused; None where it may be taken. Raises `SipError`."""
    if request.method not in KNOWN:
        return Refusal(501, {"Allow": [ALLOW]})
    if request.method in _IN_A_DIALOG:
        return Refusal(481, {})
    if len(request.uri) > MAX_URI:
        return Refusal(414, {})
    parse_uri(request.uri)
    _ = request.from_, request.to
    unknown = [tag for tag in request.tokens("Require") if tag not in EXTENSIONS]
    if unknown:
        return Refusal(420, {"Unsupported": [", ".join(unknown)]})
    return _refusal_of_invite(request, flow) if request.method == "INVITE" else None


def _refusal_of_invite(request: Request, flow: Flow) -> Refusal | None:
    if request.get("Max-Forwards") == "0":  # from here on it would be another request, so we count as a proxy does
        return Refusal(483, {})
    if "Contact" not in request.headers and MAGIC not in request.need("Via"):
        request.set("Contact", f"<{uri_of(request.need('From'))}>")  # as RFC 2543 has it
    dialog_as_callee(request, "", "", flow, pinned=False)  # raises where no dialog could come of it
    if too_brief(request):
        return Refusal(422, {"Min-SE": [str(LEAST)]})
    accepted = {value.partition(";")[0].strip() for value in request.tokens("Accept")}
    if accepted and not accepted & _SDP:
        return Refusal(406, {})
    return _refusal_of_body(request) if request.body else None


def _refusal_of_body(request: Request) -> Refusal | None:
    content_type = kind_of(request.get("Content-Type") or "")
    if content_type not in (SDP, *MULTIPART):
        return Refusal(415, {"Accept": ["application/sdp"]})
    if request.get("Content-Encoding"):
        return Refusal(415, {"Accept-Encoding": ["identity"]})
    if len(request.body) > MAX_BODY:
        raise SipError(f"body must have at most {MAX_BODY} bytes", 413)
    return None
