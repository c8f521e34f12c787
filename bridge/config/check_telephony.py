"""What must fit together in SIP, trunks, lines, codes and MQTT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.draft import Draft, Finding, Table, elements, text, unknown
from bridge.config.problems import dotted
from bridge.directory.outside import EMERGENCY

_PAIRS_OF_A_CALL = 2  # of an even port for RTP and the next for RTCP
_REACHED = ("trunk", "password", "contact", "modem")


def findings(draft: Draft) -> Iterator[Finding]:
    """Yield every mistake."""
    yield from _bridge_or_satellite(draft)
    yield from _sip(draft)
    for name, trunk in draft.trunks.items():
        yield from _trunk(draft, name, trunk)
    yield from _same_account(draft)
    for name, line in draft.lines.items():
        yield from _line(draft, name, line)
    yield from _numbers(draft)
    yield from _codes(draft)
    yield from _menu(draft)
    yield from _blocklist(draft)
    yield from _emergency(draft)
    yield from _mqtt(_table(draft.data, "mqtt"))


def _bridge_or_satellite(draft: Draft) -> Iterator[Finding]:
    if "sip" not in draft.data and not draft.satellite:
        yield ("sip",), "is missing; write a section [sip]; only a satellite, with [mqtt] and [desks] alone, has none"


def _sip(draft: Draft) -> Iterator[Finding]:
    sip = _table(draft.data, "sip")
    listen = elements(sip, "listen")
    if sip.get("listen") == []:
        yield ("sip", "listen"), 'is empty; write "udp:0.0.0.0:5060", or leave it out for both udp and tcp'
    for index, where in enumerate(listen):
        if where in listen[:index]:
            yield ("sip", "listen", index), f"{where!r} is there twice; leave one out"
    tls = _table(sip, "tls")
    if any(isinstance(where, str) and where.startswith("tls:") for where in listen) and "cert" not in tls:
        yield ("sip", "tls", "cert"), "is missing; who listens on tls: needs a certificate, give sip.tls.cert and key"
    for key, other in (("cert", "key"), ("key", "cert")):
        if key in tls and other not in tls:
            yield ("sip", "tls", other), f"is missing; it goes with {key}"
    ports = elements(sip, "rtp_ports")
    if len(ports) == 2 and all(isinstance(port, int) for port in ports):
        first, last = ports
        if first >= last:
            yield ("sip", "rtp_ports"), f"[{first}, {last}] is no range; write the lower port first"
        elif len(range(first + first % 2, last, 2)) < _PAIRS_OF_A_CALL:
            yield ("sip", "rtp_ports"), f"[{first}, {last}] is too narrow; a call needs four ports, from an even one on"


def _trunk(draft: Draft, name: str, trunk: Table) -> Iterator[Finding]:
    here = ("trunks", name)
    if trunk.get("register", True) is True:
        for key in ("username", "password"):
            if key not in trunk:
                yield (*here, key), "is missing; give it, or register = false for a peer that asks for none"
    elif "password" in trunk and "username" not in trunk:
        yield (*here, "username"), "is missing; a password goes with a username"
    number = text(trunk, "number")
    if number is not None and number not in draft.numbers:
        yield (*here, "number"), unknown("group or line with the number", number, draft.numbers)


def _same_account(draft: Draft) -> Iterator[Finding]:
    seen: dict[tuple[str | None, str | None], str] = {}
    for name, trunk in draft.trunks.items():
        account = text(trunk, "server"), text(trunk, "username")
        first = seen.setdefault(account, name)
        if first != name and account[0] is not None:
            yield ("trunks", name), f"has the server and username of trunks.{first}; leave one out"


def _line(draft: Draft, name: str, line: Table) -> Iterator[Finding]:
    here = ("lines", name)
    given = [key for key in _REACHED if key in line]
    if not given:
        ways = "trunk, or password (its phone registers), or contact (static), or modem (an analogue line)"
        yield here, f"nothing tells how it is reached; give {ways}"
    elif len(given) > 1:
        yield here, f"{' and '.join(given)} are given; a line is reached in one way, leave the others out"
    trunk = text(line, "trunk")
    if trunk is not None and trunk not in draft.trunks:
        yield (*here, "trunk"), unknown("trunk", trunk, draft.trunks)
    for index, out in enumerate(elements(line, "dial_out") or [line.get("dial_out")]):
        if isinstance(out, str) and out not in draft.trunks:
            place = (index,) if isinstance(line["dial_out"], list) else ()
            yield (*here, "dial_out", *place), unknown("trunk", out, draft.trunks)
    for key in ("dial_out_allow", "dial_out_daily"):
        if key in line and not line.get("dial_out"):
            yield (*here, key), "goes with dial_out; give the trunk through which the line calls outside"
    if "trunk" not in line:
        for key in ("dial", "watch", "confirm"):
            if key in line:
                yield (*here, key), "is for a line behind a trunk; give trunk, or leave it out"
    registrar = _table(_table(draft.data, "sip"), "registrar")
    if "password" in line and registrar.get("enabled") is False:
        yield (
            (*here, "password"),
            "its phone cannot register, sip.registrar.enabled is false; make that true, or give contact or trunk",
        )


def _numbers(draft: Draft) -> Iterator[Finding]:
    for loc, number in draft.numbered():
        first = draft.numbers[number]
        if first != loc:
            yield loc, f"{number!r} is the number of {dotted(first[:-1])} too; each number may be given once"


def _blocklist(draft: Draft) -> Iterator[Finding]:
    blocklist = _table(draft.data, "blocklist")
    to = text(blocklist, "send_to")
    if to is not None and to not in draft.numbers:
        yield ("blocklist", "send_to"), unknown("group or line with the number", to, draft.numbers)
    if to is not None and not blocklist.get("numbers") and blocklist.get("anonymous") is not True:
        yield ("blocklist", "send_to"), "is for nobody; give numbers, or anonymous = true"


def _emergency(draft: Draft) -> Iterator[Finding]:
    given = elements(_table(draft.data, "outside"), "emergency") or list(EMERGENCY)
    for loc, number in draft.numbered():
        if number in given:
            yield loc, f"{number!r} is an emergency number ([outside] emergency); choose another"


def _codes(draft: Draft) -> Iterator[Finding]:
    codes = {key: code for key, code in _table(draft.data, "codes").items() if isinstance(code, str) and code}
    for key, code in codes.items():
        for other, longer in codes.items():
            if code == longer and key < other:
                yield ("codes", other), f"{longer!r} is codes.{key} too; each code may be given once"
            elif longer != code and longer.startswith(code):
                yield ("codes", other), f"{longer!r} begins with {code!r}, codes.{key}; choose codes that differ sooner"
        for number, loc in draft.numbers.items():
            if number.startswith(code):
                yield loc, f"{number!r} begins with {code!r}, codes.{key}; choose another number or code"


def _menu(draft: Draft) -> Iterator[Finding]:
    if "menu" in draft.data and not any("pin" in user for user in draft.users.values()):
        yield ("menu",), "is of no use, no user has a PIN; give users.NAME.pin, 4 to 12 digits as text"


def _mqtt(mqtt: Table) -> Iterator[Finding]:
    broker = text(mqtt, "broker") or ""
    if not broker.startswith("mqtts:"):
        for key in ("ca", "cert", "key"):
            if key in mqtt:
                yield ("mqtt", key), "is for TLS; write the broker as mqtts://, or leave it out"
    for key, other in (("cert", "key"), ("key", "cert"), ("password", "username")):
        if key in mqtt and other not in mqtt:
            yield ("mqtt", other), f"is missing; it goes with {key}"


def _table(table: Table, key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}
