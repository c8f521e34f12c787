"""Who calls, and whom: pure decisions on an INVITE, from the directory and the known addresses.

An INVITE is taken from a line's static contact, from a trunk's server, or from somebody who proves by digest to be a
line whose phone registers here. Everybody else is challenged, as a phone would be, so that nobody learns which numbers
exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bridge.directory.codes import Code, Dialled
from bridge.directory.model import Directory, Group, Line
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_address, parse_uri, split_list
from bridge.sip.message import Request


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a call comes from: a line of ours or a trunk, and the number and name it shows ("" when anonymous)."""

    line: str | None
    trunk: str | None
    number: str
    name: str

    @property
    def display(self) -> str:
        """The number and name in one, for people."""
        if self.name and self.number and self.name != self.number:
            return f"{self.name} ({self.number})"
        return self.name or self.number or "anonymous"


class Outside(NamedTuple):
    """A number outside: the trunk through which it is called, and the line of ours in whose name."""

    trunk: str
    number: str
    line: str


@dataclass(frozen=True, slots=True)
class Called:
    """What a call is for: a hunt group, a line, a service of the bridge itself, a number outside, or nothing (404).

    `refused`: why a number outside is not called (403).
    """

    number: str
    group: Group | None = None
    line: Line | None = None
    service: Dialled | None = None
    outside: Outside | None = None
    refused: str = ""

    @property
    def known(self) -> bool:
        """Whether there is such a number."""
        return any(each is not None for each in (self.group, self.line, self.service, self.outside))


def shown_identity(request: Request) -> tuple[str, str]:
    """Return the caller's number and name; both empty where the caller wants to stay anonymous (RFC 3323)."""
    from_ = request.from_
    privacy = {token for value in request.all("Privacy") for token in value.lower().replace(";", " ").split()}
    host = from_.uri.host.lower()
    user = from_.uri.user or ""
    if host == "anonymous.invalid" or user.lower() == "anonymous" or privacy & {"id", "user", "header"}:
        return "", ""
    return shown(user), shown(from_.name)


def shown(text: str, most: int = 80) -> str:
    """Return text of a peer's without what cannot stand in a header or terminal, and not too much of it."""
    return (text if text.isprintable() else "".join(c for c in text if c.isprintable()))[:most]


def user_of(uri: str) -> str:
    """Return the user part of a URI, "" where it has none or is no URI of ours."""
    try:
        return parse_uri(uri).user or ""
    except SipError:
        return ""


def trunk_destination(request: Request, own_number: str | None, directory: Directory) -> Called:
    """Find what a trunk's call is for: what Request-URI, P-Called-Party-ID or To names, else `own_number`."""
    for number in _candidates(request):
        called = _from_trunk(number, directory)
        if called.known:
            return called
    return _from_trunk(own_number or user_of(request.uri), directory)


def _from_trunk(number: str, directory: Directory) -> Called:
    if number == directory.menu:
        return Called(number, service=Dialled(Code.MENU))
    return destination(number, directory)


def _candidates(request: Request) -> Iterable[str]:
    yield user_of(request.uri)
    for value in request.headers.get("P-Called-Party-ID", ()):
        try:
            yield parse_address(split_list(value)[0]).uri.user or ""
        except SipError:
            continue
    yield request.to.uri.user or ""


def phone_destination(number: str, directory: Directory) -> Called:
    """Find what an attached phone has dialled: a code, or a number."""
    dialled = Dialled(Code.MENU) if number == directory.menu else directory.codes.read(number)
    return destination(number, directory) if dialled is None else Called(number, service=dialled)


def destination(number: str, directory: Directory) -> Called:
    """Find what a dialled number is for."""
    group = directory.group_by_number.get(number)
    if group is not None and group.active:
        return Called(number, group=group)
    return Called(number, line=directory.line_by_number.get(number))


@dataclass(frozen=True)
class Peers:
    """The addresses that need no digest. Static contacts: (host, port) to line; trunks: host to (port, trunk)s."""

    contacts: Mapping[tuple[str, int], str]
    trunks: Mapping[str, tuple[tuple[int, str], ...]]

    def line(self, flow: Flow) -> str | None:
        """Return the line whose static contact this address is."""
        return self.contacts.get((flow.host, flow.port))

    def trunk(self, flow: Flow) -> str | None:
        """Return the trunk whose server this address is: by port too where one host serves several."""
        found = self.trunks.get(flow.host, ())
        exact = next((trunk for port, trunk in found if port == flow.port), None)
        return exact or (found[0][1] if found else None)

    def trunk_exactly(self, flow: Flow) -> str | None:
        """Return the trunk whose server has this address and port."""
        return next((trunk for port, trunk in self.trunks.get(flow.host, ()) if port == flow.port), None)
