"""What the terminal says about the example once it serves: where phones register, how members log in, what to call."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence

from bridge.config.addresses import Listen, bracketed
from bridge.config.people import GroupSettings, MemberSettings
from bridge.config.settings import Settings

_ELSEWHERE = ("192.0.2.1", 9)  # RFC 5737: nobody's; nothing is sent there
_HOW = {
    "parallel": "rings all at once",
    "sequential": "rings one after the other",
    "queue": "answers at once, with music until somebody is free",
}


def welcome_text(settings: Settings, listening: Sequence[Listen], command: str, options: str) -> str:
    """Return the text. `command` calls this program in a shell; `options` it needs to find this agent, or ""."""

    def call(words: str) -> str:
        return f"{command} {words}{options}"

    phones = [(line.number, line.password.reveal()) for line in settings.lines.values() if line.password]
    groups = [group for group in settings.groups.values() if group.number]
    logins = [call(f"login {group.number} {member}") for group in groups[:1] for member in _names(group)[:2]]
    parts = [
        "The bridge serves. Point a softphone at it:",
        _rows(("server", f"{server} ({transports})") for server, transports in servers(settings, listening)),
        _rows(("user", f"{number}   password {password}") for number, password in phones),
        "Only members who are logged in are rung. Log them in from another terminal:",
        _rows((login,) for login in logins),
        f"Everybody everywhere: {call('login all all')}",
        "Then call:",
        _rows((group.number or "", f"{group.name}: {_HOW[group.strategy]}") for group in groups),
        f"What is up: {call('status')}\nWhy a phone did not ring: {call('explain')}\nEnd with Ctrl-C.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def servers(settings: Settings, listening: Sequence[Listen]) -> list[tuple[str, str]]:
    """Return each `address:port` that a phone is pointed at, and its transports: "UDP or TCP"."""
    found: dict[str, list[str]] = {}
    for transport, host, port in listening:
        if ipaddress.ip_address(host).is_unspecified:
            advertised = settings.sip.advertise if settings.sip else None
            host = advertised or _own_address(host)
        found.setdefault(f"{bracketed(host)}:{port}", []).append(transport.upper())
    return [(server, " or ".join(dict.fromkeys(transports))) for server, transports in found.items()]


def _own_address(unspecified: str) -> str:
    """Return the address that the route to elsewhere uses, as phones of the same network reach it."""
    if ":" in unspecified:
        return "::1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:  # no network: phones of this machine only
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _names(group: GroupSettings) -> list[str]:
    return [
        (member.user or member.line or "") if isinstance(member, MemberSettings) else member for member in group.members
    ]


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    """Return rows of columns, indented; the first column is as wide as its widest cell."""
    cells = list(rows)
    width = max((len(row[0]) for row in cells), default=0)
    return "\n".join(f"  {row[0]:{width}}  {'  '.join(row[1:])}".rstrip() for row in cells)
