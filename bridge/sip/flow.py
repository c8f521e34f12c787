"""Where messages come from and go to, and what the sans-IO side asks of whoever owns the sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Flow(NamedTuple):
    """A peer's transport address, and the listener of ours that speaks to it.

    `transport` is "udp", "tcp" or "tls". `host` is an IP address without brackets (or a name that the endpoint
    still has to resolve). On TCP and TLS a connection with this remote address is used where there is one, else made.
    `listener` is the index of the listening socket that a datagram came in on; -1: any that fits.
    """

    transport: str
    host: str
    port: int
    listener: int = -1

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself."""
        return self.transport != "udp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


class Send(NamedTuple):
    """Bytes that are to be sent on a flow."""

    flow: Flow
    data: bytes


class LocalAddress(NamedTuple):
    """The host (IP address or name, without brackets) and port that a peer reaches us at."""

    host: str
    port: int


Locate = Callable[[Flow], LocalAddress]
"""Tells which address of ours to write into Via and Contact for a peer."""


class Engine(Protocol):
    """The sans-IO side, driven by the endpoint. `now` is monotonic seconds.

    After each call but `deadline` the endpoint sends everything in `outbox` (and empties it), and re-arms its
    timer from `deadline()`.
    """

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent; emptied by the endpoint."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram, or one framed message of a stream. Never raises for what the network sent."""

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note that what was sent on this flow cannot be delivered (no route, refused, name unknown)."""

    def tick(self, now: float) -> None:
        """Let everything that is due happen."""

    def deadline(self) -> float | None:
        """Return when `tick` is due next, or None."""
