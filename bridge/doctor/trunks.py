"""The PBXs: their names, whether they take our account, and whether something on the way rewrites what we say."""

from __future__ import annotations

import asyncio
import email.utils
import ipaddress
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.trunks import numeric
from bridge.calls.status import Odd
from bridge.config.addresses import bracketed
from bridge.config.domain import exchange_of
from bridge.doctor.asking import Answer, Place, Silence, ask, words
from bridge.doctor.model import Findings, Patient, fail, ok, warn
from bridge.resolving import places
from bridge.sip.digest import Credentials
from bridge.sip.grammar import SipError, parse_parameters, parse_uri, uri_of
from bridge.sip.via import top_via

SKEW = 60.0  # seconds that clocks may differ
_PATIENCE = 6.0  # seconds for a name
_FINE = ("registered", "static")
_REFUSED = (
    "compare user name and password with those of the account at the PBX; after several tries it may be locked a while"
)
_SILENT = "is the PBX on, and its address right? A firewall between may drop SIP (port 5060)"
_ODD = {
    Odd.CHANGES_NO_CALL: "so sound of its calls goes through the bridge, unless media is direct; to have it go direct "
    "let the PBX take re-INVITE from our account",
    Odd.TELLS_NOTHING: "allow BLF (dialog, RFC 4235) for our account at the PBX, or leave out watch; for a FRITZ!Box "
    "there is call_monitor = true",
    Odd.SAYS_NOTHING: "that it is gone is noticed with the next registration; a shorter expires makes that sooner",
}
_ALG = 'switch "SIP ALG" (SIP helper, SIP passthrough) off in the router, or use ;transport=tcp'


def check_trunks(patient: Patient) -> Findings:
    """Look at every trunk."""
    for trunk in exchange_of(patient.settings).trunks:
        yield from _trunk(patient, trunk)


def _trunk(patient: Patient, trunk: TrunkSettings) -> Findings:
    check = f"trunk {trunk.name}"
    try:
        found = asyncio.run(asyncio.wait_for(places(trunk), _PATIENCE))
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or "the name server does not answer"
        yield fail(
            f"name {trunk.host}",
            f"cannot be resolved: {why}",
            "compare server with the PBX's name; see /etc/resolv.conf",
        )
        return
    host, port = found[0]
    if not numeric(trunk.host):
        yield ok(f"name {trunk.host}", ", ".join(dict.fromkeys(address for address, _ in found)))
    place = Place(trunk.transport, host, port or trunk.port or (5061 if trunk.transport == "tls" else 5060))
    told = patient.status.get("trunks", {}).get(trunk.name)
    if told is not None:
        yield from _as_told(check, told)
        answer = _asked_gently(place, trunk, registered=told["state"] == "registered")
    else:
        answer = yield from _registered(check, place, trunk)
    if answer is not None:
        yield from _on_the_way(trunk.name, place, answer)
        if told is not None and told["state"] == "registered":
            yield from _our_binding(patient, trunk, answer)
        yield from _its_clock(trunk.name, answer)


def _as_told(check: str, told: Mapping[str, Any]) -> Findings:
    """Tell what the agent knows, with the PBX's own words."""
    state, reason = told["state"], told["reason"]
    for odd in told.get("odd", ()):
        yield warn(check, f"the PBX {odd}", _ODD.get(odd, "see the log"))
    if state in _FINE:
        yield ok(check, state)
    else:
        todo = _REFUSED if reason[:3].isdigit() and reason[:1] == "4" else _SILENT
        yield fail(check, f"{state}: {reason}" if reason else state, todo)


def _asked_gently(place: Place, trunk: TrunkSettings, registered: bool) -> Answer | None:
    """Ask for our bindings, where the agent is registered; else without an account: a second refusal may lock it."""
    credentials = Credentials(trunk.username, trunk.password) if registered else None
    try:
        return ask(place, "REGISTER" if registered else "OPTIONS", _uri(trunk), _account(trunk), credentials, 2.0)
    except Silence:
        return None


def _registered(check: str, place: Place, trunk: TrunkSettings) -> Any:
    """Ask for our bindings, which changes none; return the answer."""
    credentials = Credentials(trunk.username, trunk.password) if trunk.username else None
    method = "REGISTER" if trunk.register else "OPTIONS"
    try:
        answer = ask(place, method, _uri(trunk), _account(trunk), credentials)
    except Silence as silence:
        yield fail(check, str(silence), _SILENT)
        return None
    said = words(answer.response)
    if answer.response.code < 300 or not trunk.register:
        yield ok(check, f"{place} takes the account: {said}" if trunk.register else f"{place} answers: {said}")
    else:
        yield fail(check, f"{place} refuses {trunk.username!r}: {said}", _REFUSED)
    return answer


def _on_the_way(trunk: str, place: Place, answer: Answer) -> Findings:
    """Compare the Via that came back with the one that was sent (RFC 3261 §18.2.1, RFC 3581)."""
    check = f"way to {trunk}"
    sent = top_via(answer.via)
    try:
        back = top_via(answer.response.all("Via")[0])
        parameters = parse_parameters(";" + answer.response.all("Via")[0].partition(";")[2].partition(",")[0])
    except (SipError, IndexError):
        yield warn(check, "its answer has no Via that can be read: something on the way rewrites SIP", _ALG)
        return
    if (back.sent_by, back.branch) != (sent.sent_by, sent.branch):
        yield warn(
            check, f"our Via {sent.sent_by} came back as {back.sent_by}: something on the way rewrites SIP", _ALG
        )
        return
    seen = (parameters.get("received") or "").strip("[]")
    if seen and seen != answer.source[0]:
        if _is_private(place.host):
            todo = "sound may be one-way: in a container use --network host, else find the router in between"
            yield warn(
                check, f"the PBX sees us at {seen}, we are at {answer.source[0]}: addresses are translated", todo
            )
        else:
            yield ok(
                check, f"through a router that translates addresses: seen at {seen}:{parameters.get('rport') or '?'}"
            )
    else:
        yield ok(check, "nothing rewrites what we say")


def _our_binding(patient: Patient, trunk: TrunkSettings, answer: Answer) -> Findings:
    """Compare where the PBX has us with where we listen: an ALG rewrites contacts too (RFC 3261 §10.3)."""
    sip = patient.settings.sip
    bound = []
    for value in answer.response.all("Contact"):
        with suppress(SipError):
            uri = parse_uri(uri_of(value))
            bound.append((uri.host.strip("[]"), uri.port or 5060))
    if not bound or sip is None or answer.response.code >= 300:
        return
    ours = {sip.advertise or (answer.source[0] if _everywhere(each.host) else each.host) for each in sip.listen}
    ports = {each.port for each in sip.listen} | {0}
    if trunk.transport == "udp" and not any(host in ours and port in ports for host, port in bound):
        there = ", ".join(f"{host}:{port}" for host, port in bound)
        said = f"the PBX has us at {there}, we are at {', '.join(sorted(ours))}: something rewrote our Contact"
        yield warn(f"way to {trunk.name}", said, f"calls may not come in, or without sound; {_ALG}")


def _everywhere(host: str) -> bool:
    return ipaddress.ip_address(host).is_unspecified


def _its_clock(trunk: str, answer: Answer) -> Findings:
    date = answer.response.get("Date")
    when = email.utils.parsedate_to_datetime(date) if date and email.utils.parsedate(date) else None
    if when is None:
        return
    skew = when.timestamp() - time.time()
    if abs(skew) > SKEW:
        which = "ahead" if skew > 0 else "behind"
        todo = "one of the two clocks is wrong: timedatectl here, the time server's settings there"
        yield warn(f"clock of {trunk}", f"it is {abs(skew):.0f} s {which} of ours", todo)


def _uri(trunk: TrunkSettings) -> str:
    port = f":{trunk.port}" if trunk.port else ""
    return f"sip:{bracketed(trunk.host)}{port}"


def _account(trunk: TrunkSettings) -> str:
    return f"sip:{trunk.username or 'doctor'}@{bracketed(trunk.host)}"


def _is_private(host: str) -> bool:
    return ipaddress.ip_address(host.partition("%")[0]).is_private
