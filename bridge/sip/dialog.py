"""A dialog: the peer-to-peer relation that a 2xx to an INVITE makes, as a value (RFC 3261 §12).

A tuple, so that it can be stored and taken up again after a restart; a request in it gives the next value with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_address, parse_uri, tag_of, uri_of
from bridge.sip.message import Request, Response

MAX_ROUTES = 32


class Dialog(NamedTuple):
    """One confirmed dialog. `local` and `remote` are whole From/To values with their tags."""

    call_id: str
    local: str
    remote: str
    local_tag: str
    remote_tag: str
    local_seq: int
    remote_seq: int | None
    remote_target: str
    route_set: tuple[str, ...]
    contact: str  # our Contact value in it
    flow: Flow  # the next hop
    pinned: bool  # the flow is the peer's own (NAT, a phone's connection): keep to it

    def request(self, method: str, *, seq: int | None = None) -> tuple[Dialog, Request]:
        """Return the dialog after, and, a request in it (§12.2.1.1), body and Via still to come.

        `seq` is the INVITE's for an ACK; else the sequence goes up by one.
        """
        uri, route = self.remote_target, self.route_set
        if route and not _is_loose(route[0]):
            uri, route = uri_of(route[0]), (*route[1:], f"<{self.remote_target}>")
        number = seq if seq is not None else self.local_seq + 1
        headers: dict[str, list[str]] = {
            "Via": [],
            "Max-Forwards": ["70"],
            "From": [self.local],
            "To": [self.remote],
            "Call-ID": [self.call_id],
            "CSeq": [f"{number} {method}"],
        }
        if route:
            headers["Route"] = list(route)
        following = self if seq is not None else self._replace(local_seq=number)
        return following, Request(method, uri, headers)

    def accept(self, request: Request) -> Dialog | None:
        """Return the dialog after a request of the peer's; None where its CSeq is out of order (§12.2.2)."""
        number = request.cseq.sequence
        if self.remote_seq is not None and number <= self.remote_seq:
            return None
        return self._replace(remote_seq=number)

    def moved(self, flow: Flow) -> Dialog:
        """Return the dialog with a phone that is reached by another flow now."""
        return self._replace(flow=flow)

    def refresh(self, message: Request | Response) -> Dialog:
        """Return the dialog after a target refresh: a re-INVITE, an UPDATE or the 2xx to one (§12.2.1.2, §12.2.2)."""
        try:
            contact = message.contact
            if contact is None or contact == self.remote_target:
                return self
            flow = self.flow if self.pinned or self.route_set else flow_of(contact, self.flow)
        except SipError:  # a Contact that cannot be read leaves the target as it was
            return self
        return self._replace(remote_target=contact, flow=flow)


def _is_loose(route: str) -> bool:
    return "lr" in {key.lower() for key in parse_uri(uri_of(route)).parameters}


@lru_cache(maxsize=1024)
def flow_of(uri: str, like: Flow) -> Flow:
    """Return the flow that a request to this URI takes (RFC 3261 §18.1.1), on the listener of `like` where it fits.

    The same object each time, for much that is kept holds one.
    """
    parsed = parse_uri(uri)
    parameters = {key.lower(): value for key, value in parsed.parameters.items()}
    transport = (parameters.get("transport") or ("tls" if parsed.scheme == "sips" else "udp")).lower()
    if transport not in ("udp", "tcp", "tls"):
        raise SipError(f"URI {uri[:80]!r}: transport must be udp, tcp or tls")
    host = (parameters.get("maddr") or parsed.host).strip("[]")
    port = parsed.port or (5061 if transport == "tls" else 5060)
    return Flow(transport, host, port, like.listener if transport == like.transport else -1)


def next_hop(target: str, route_set: tuple[str, ...], like: Flow) -> Flow:
    """Return where a request with this target and route set goes: to the first route, else to the target."""
    return flow_of(uri_of(route_set[0]) if route_set else target, like)


def _recorded(message: Request | Response) -> tuple[str, ...]:
    """Return the Record-Routes, each of which can be routed by whenever that will be. Raises `SipError`."""
    if "Record-Route" not in message.headers:
        return ()
    routes = message.all("Record-Route")
    if len(routes) > MAX_ROUTES:
        raise SipError(f"at most {MAX_ROUTES} proxies can stay on a call's way")
    for route in routes:
        parse_address(route)
    return tuple(routes)


def dialog_as_callee(request: Request, local_tag: str, contact: str, flow: Flow, pinned: bool) -> Dialog:
    """Make the dialog of an INVITE or SUBSCRIBE that we accept (§12.1.1): its Record-Route in the order received."""
    target = request.contact
    if target is None:
        raise SipError(f"a request of method {request.method} needs a Contact")
    to = request.need("To")
    route_set = _recorded(request)
    return Dialog(
        call_id=request.call_id,
        local=to if tag_of(to) else f"{to};tag={local_tag}",
        remote=request.need("From"),
        local_tag=local_tag,
        remote_tag=request.from_tag or "",
        local_seq=0,
        remote_seq=request.cseq.sequence,
        remote_target=target,
        route_set=route_set,
        contact=contact,
        flow=flow if pinned else next_hop(target, route_set, flow),
        pinned=pinned,
    )


def dialog_as_caller(request: Request, response: Response, contact: str, flow: Flow, pinned: bool) -> Dialog:
    """Make the dialog of a 2xx to our INVITE (§12.1.2): its Record-Route reversed."""
    target = response.contact or request.uri
    route_set = tuple(reversed(_recorded(response)))
    return Dialog(
        call_id=request.call_id,
        local=request.need("From"),
        remote=response.need("To"),
        local_tag=request.from_tag or "",
        remote_tag=response.to_tag or "",
        local_seq=request.cseq.sequence,
        remote_seq=None,
        remote_target=target,
        route_set=route_set,
        contact=contact,
        flow=flow if pinned else next_hop(target, route_set, flow),
        pinned=pinned,
    )
