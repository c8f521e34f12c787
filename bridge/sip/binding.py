"""A binding: one place where a line is reached, as a value that can be compared, stored and told about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.sip.flow import Flow
from bridge.sip.grammar import parse_uri

Plain = dict[str, str | int | float | None]
"""A binding as it is stored."""


def place(contact_uri: str) -> tuple[str | None, str, int, str]:
    """Return what of a contact says where it is, its other parameters left out. Raises `SipError`."""
    uri = parse_uri(contact_uri)
    transport = (uri.parameters.get("transport") or "udp").lower()
    return uri.user, uri.host.lower(), uri.port or (5061 if transport == "tls" else 5060), transport


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a phone is. `expires_at` is monotonic, `since` (registered without a break) UTC, both seconds.

    `contact_uri` is to be the Request-URI, as the phone wrote it; `flow` is where to send.
    """

    contact_uri: str
    flow: Flow
    expires_at: float
    call_id: str
    cseq: int
    user_agent: str
    instance: str | None
    since: float

    def same_place(self, other: Binding) -> bool:
        """Whether both are of the same phone: the same instance, or the same URI (RFC 3261 §19.1.4)."""
        if self.instance is not None and self.instance == other.instance:
            return True
        return self.contact_uri == other.contact_uri or place(self.contact_uri) == place(other.contact_uri)

    def same_phone(self, other: Binding) -> bool:
        """Whether both are of the same phone, even where its Contact names the connection that it came by.

        A phone registers under one Call-ID for as long as it runs (§10.2), and by one flow of a transport at a time.
        """
        elsewhere = self.flow != other.flow and self.flow.transport == other.flow.transport
        return self.same_place(other) or (self.call_id == other.call_id and elsewhere)

    @property
    def translated(self) -> bool:
        """Whether it is reached by UDP through an address translator."""
        uri = parse_uri(self.contact_uri)
        same_host = uri.host.strip("[]").lower() == self.flow.host.lower()
        return not self.flow.reliable and not (same_host and (uri.port or 5060) == self.flow.port)

    def connectable(self) -> Flow | None:
        """Return a flow to the phone once its connection is gone: it has to listen where its contact says, no NAT."""
        uri = parse_uri(self.contact_uri)
        if uri.host.strip("[]").lower() != self.flow.host.lower() or uri.port == self.flow.port:
            return None
        return self.flow._replace(port=uri.port or (5061 if self.flow.transport == "tls" else 5060))


@dataclass(frozen=True, slots=True)
class BindingAdded:
    """A phone has registered at a line, which has `bindings` now (1: it became reachable).

    `before`: the flow of its connection that was lost, where it is one that has returned.
    """

    line: str
    binding: Binding
    bindings: int
    before: Flow | None = None


@dataclass(frozen=True, slots=True)
class BindingRefreshed:
    """A phone has registered again, perhaps from elsewhere; `before`: the flow that it was reached by."""

    line: str
    binding: Binding
    before: Flow | None = None


@dataclass(frozen=True, slots=True)
class BindingRemoved:
    """A binding has ended: `why` is expired, removed, replaced or connection lost. 0 `bindings`: unreachable now."""

    line: str
    binding: Binding
    why: str
    bindings: int


@dataclass(frozen=True, slots=True)
class RegisterRefused:
    """Somebody tried to register a line with a wrong password; told at most once a minute for each line."""

    line: str
    flow: Flow


RegistrarEvent = BindingAdded | BindingRefreshed | BindingRemoved | RegisterRefused


def plain(line: str, binding: Binding, now: float, wall: float) -> Plain:
    """Return a line's binding as it is stored; `expires` is UTC."""
    return {
        "line": line,
        "contact": binding.contact_uri,
        "transport": binding.flow.transport,
        "host": binding.flow.host,
        "port": binding.flow.port,
        "listener": binding.flow.listener,
        "expires": round(wall + binding.expires_at - now, 3),
        "call_id": binding.call_id,
        "cseq": binding.cseq,
        "user_agent": binding.user_agent,
        "instance": binding.instance,
        "since": binding.since,
    }


def restored(entry: Mapping[str, object], now: float, wall: float, max_expires: float) -> tuple[str, Binding]:
    """Return the line and binding that `plain` wrote, for at most `max_expires` seconds. Raises `ValueError`."""

    def text(key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str):
            raise ValueError(f"stored binding: {key} is {value!r}, must be text")
        return value

    def number(key: str) -> float:
        value = entry.get(key)
        if not isinstance(value, (int, float)):
            raise ValueError(f"stored binding: {key} is {value!r}, must be a number")
        return value

    binding = Binding(
        contact_uri=text("contact"),
        flow=Flow(text("transport"), text("host"), int(number("port")), int(number("listener"))),
        expires_at=now + min(number("expires") - wall, max_expires),
        call_id=text("call_id"),
        cseq=int(number("cseq")),
        user_agent=text("user_agent"),
        instance=None if entry.get("instance") is None else text("instance"),
        since=number("since"),
    )
    parse_uri(binding.contact_uri)
    return text("line"), binding
