"""Listening sockets: opened with errors that say what would help, and what address they have."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import NamedTuple

from bridge.sip.flow import Flow

_RECEIVE_BUFFER = 4 * 1024 * 1024  # asked for; the kernel cuts it to net.core.rmem_max
_BACKLOG = 128
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_IPV6_ADDR_PREFERENCES, _PUBLIC = 72, 2  # RFC 5014
_HINTS = {
    errno.EADDRINUSE: "is in use; end the other program that listens there (ss -lnp shows it), or choose another port",
    errno.EADDRNOTAVAIL: "is not an address of this machine; 0.0.0.0 listens on all of them",
    errno.EACCES: "is not permitted; ports below 1024 need the capability CAP_NET_BIND_SERVICE",
    errno.EAFNOSUPPORT: "needs an address family that this machine does not have",
}


class EndpointError(Exception):
    """A listener cannot be opened; says which, why, and what would help."""


class Listening(NamedTuple):
    """A listening socket. `dual`: an IPv6 socket that takes IPv4 too."""

    transport: str
    host: str
    port: int
    socket: socket.socket
    dual: bool = False

    @property
    def wildcard(self) -> bool:
        """Whether it listens on all addresses."""
        return self.host in ("0.0.0.0", "::")

    def reaches(self, host: str) -> bool:
        """Whether a peer's IP address is of a family that this socket speaks."""
        return self.dual or (":" in host) == (":" in self.host)

    def __str__(self) -> str:
        return str(Flow(self.transport, self.host, self.port))


def open_listener(transport: str, host: str, port: int, others: list[tuple[str, str, int]]) -> Listening:
    """Open and bind a socket; listening starts with its use. Raises `EndpointError`.

    An IPv6 wildcard takes IPv4 too, unless one of the `others` (transport, host, port) is its IPv4 counterpart.
    """
    name = Flow(transport, host, port)
    if transport not in ("udp", "tcp", "tls"):
        raise EndpointError(f"{name}: the transport must be udp, tcp or tls")
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise EndpointError(f"{name}: {host!r} must be an IP address of this machine ({error})") from None
    dual = host == "::" and not any(":" not in o[1] and (o[0], o[2]) == (transport, port) for o in others)
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
            speak_from_lasting(sock)
        if transport == "udp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            _ask_for_errors(sock)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if transport != "udp":
            sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        hint = _HINTS.get(error.errno or 0, f"cannot be opened: {error.strerror}")
        raise EndpointError(f"{name} {hint}") from None
    bound = sock.getsockname()
    return Listening(transport, bound[0], bound[1], sock, dual)


def speak_from_lasting(sock: socket.socket) -> None:
    """Have an IPv6 socket speak from the address that peers know, not from one that privacy changes each day."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a kernel that has no such addresses
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_ADDR_PREFERENCES, _PUBLIC)


def _ask_for_errors(sock: socket.socket) -> None:
    """Have the kernel tell which datagrams could not be delivered, where it can."""
    if sys.platform != "linux":
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
