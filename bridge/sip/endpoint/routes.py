"""Which listener speaks to a peer, and which address of ours that peer should be told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bridge.sip.endpoint.listening import Listening, speak_from_lasting
from bridge.sip.endpoint.resolver import is_address
from bridge.sip.flow import Flow, LocalAddress

_KEPT = 1024
_LIFETIME = 30.0  # addresses of ours may change
_NEVER = 9
_FAR_AWAY = "192.0.2.1"  # of nobody: the route there is the default route


class Route(NamedTuple):
    """The listener's index for a peer, -1 where none fits, and our address as that peer should know it.

    `open`: as far as can be told a message will leave for the peer, from `source`. `until`: how long all this is taken
    for true.
    """

    listener: int
    local: LocalAddress
    open: bool
    until: float
    source: str = ""


class Routes:
    """Routes, remembered for a short while. `last_addresses` tells what a host name was last resolved to."""

    def __init__(
        self,
        listeners: Sequence[Listening],
        advertise: str | None,
        clock: Callable[[], float],
        last_addresses: Callable[[str], Sequence[str]],
    ) -> None:
        self._listeners = listeners
        self._advertise = advertise
        self._clock = clock
        self._last_addresses = last_addresses
        self._known: dict[tuple[str, str, int], Route] = {}

    def to(self, flow: Flow) -> Route:
        """Return the route to a peer, for a name that to the address it was last known at."""
        if not is_address(flow.host):
            known_at = self._last_addresses(flow.host)
            return self.to(self.first_open(flow, known_at) or flow._replace(host=next(iter(known_at), _FAR_AWAY)))
        key = (flow.transport, flow.host, flow.listener)
        known = self._known.get(key)
        if known is not None and known.until > self._clock():
            return known
        route = self._find(flow)
        self._known.pop(key, None)
        self._known[key] = route
        if len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        return route

    def forget(self) -> None:
        """Find every route anew."""
        self._known.clear()

    def first_open(self, flow: Flow, hosts: Iterable[str]) -> Flow | None:
        """Return the flow to the first of these addresses that messages will leave for, None where to none."""
        flows = (flow._replace(host=host) for host in hosts)
        return next((flow for flow in flows if self.to(flow).open), None)

    def _find(self, flow: Flow) -> Route:
        host = flow.host
        ours = _source_towards(host)
        index = self._listener_for(flow, host, ours)
        bound, port = ours, next((listening.port for listening in self._listeners), 5060)
        if index >= 0:
            listening = self._listeners[index]
            port = listening.port
            bound = ours if listening.wildcard else listening.host
        is_open = ours is not None and (index >= 0 or flow.transport != "udp")
        local = LocalAddress(self._shown(host) or bound or "127.0.0.1", port)
        return Route(index, local, is_open, self._clock() + (_LIFETIME if is_open else 0.0), bound or "")

    def _shown(self, host: str) -> str | None:
        """Return what is to be advertised to a peer: never an address of another family."""
        advertise = self._advertise
        if advertise is None or (is_address(advertise) and (":" in advertise) != (":" in host)):
            return None
        return advertise

    def _listener_for(self, flow: Flow, host: str, ours: str | None) -> int:
        """Return the listener a datagram came in on, else one bound to the route's address, else to any address."""
        fitting = [
            index
            for index, listening in enumerate(self._listeners)
            if listening.transport == flow.transport and listening.reaches(host)
        ]
        if flow.listener in fitting:
            return flow.listener
        ranked = sorted(fitting, key=lambda index: _rank(self._listeners[index], host, ours))
        return ranked[0] if ranked and _rank(self._listeners[ranked[0]], host, ours) < _NEVER else -1


def _rank(listening: Listening, host: str, ours: str | None) -> int:
    """Return how well a listener suits a peer, the less the better."""
    if listening.host == ours:
        return 0
    if listening.wildcard:
        return 1
    return 2 if _loopback(listening.host) == _loopback(host) or not _loopback(listening.host) else _NEVER


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def _source_towards(host: str) -> str | None:
    """Return the address of ours that the kernel would send from; None where it has no route."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            if family == socket.AF_INET6:
                speak_from_lasting(probe)
            probe.connect((host, 9))
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return None
