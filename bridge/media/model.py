"""What is asked of the relay: calls decide, sans-IO, which stream goes where; whoever owns the sockets carries it.

A relayed call has two sides, `CALLER` and `MEMBER`. Each `m=` line is a stream, by its number in the description; each
side of a stream has a pair of ports of ours, an even one for RTP and the next for RTCP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

CALLER, MEMBER = 0, 1
SIDES = (CALLER, MEMBER)


class Translation(NamedTuple):
    """What becomes of a packet's payload type, and of its sound, on the way to the other side.

    Both go by the second byte of RTP, marker bit and payload type: `types` are its 256 successors, `recoded` the
    successors of each byte of sound where that is another law's.
    """

    types: bytes
    recoded: Mapping[int, bytes]


class Path(NamedTuple):
    """Where a side receives, and from which IP address it is heard.

    `follows`: behind NAT, so that packets go back to wherever its own come from; `port` and `rtcp` are a first guess
    then. A port of 0 gets nothing. `translation` is for what this side sends.
    """

    host: str
    port: int
    rtcp: int
    follows: bool = False
    translation: Translation | None = None


class Relay(Protocol):
    """One call's streams. Everything is closed with the call."""

    def ports(self, stream: int) -> tuple[int, int] | None:
        """Return the RTP ports of a stream, the caller's and the member's; None where no more are left."""

    def settle(self, stream: int, side: int, path: Path | None) -> None:
        """Take where a side of a stream is; None: it is not wanted (any more)."""

    def close(self) -> None:
        """Give the ports back."""


class Media(Protocol):
    """Whoever owns the ports."""

    def open(self) -> Relay | None:
        """Return a relay whose first stream has its ports; None where no ports are left."""
