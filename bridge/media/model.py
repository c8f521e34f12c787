"""What is asked of the relay: calls decide, sans-IO, which stream goes where; whoever owns the sockets carries it.

A relayed call has two sides, `CALLER` and `MEMBER`. Each `m=` line is a stream, by its number in the description; each
side of a stream has a pair of ports of ours, an even one for RTP and the next for RTCP.

Towards a side, the bridge can speak itself, from the same ports: a `Speaker` plays sounds there and hears keys, until
it is closed and the ports relay. Calls use it through a `Voice` (`voice`), which knows offers and answers too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.media.g711 import Law

if TYPE_CHECKING:
    from bridge.media.voice import Voice

Sound = str
"""What can be played, by name: a prompt or tone that ships (`prompts`), or the path of a WAV file."""

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


class Terms(NamedTuple):
    """How we speak ourselves: the law of G.711 and its payload type, that of keys we send, and those of keys we hear.

    `events` None: the peer takes no telephone events. `sends`: whether anything is to be sent, False while on hold.
    """

    law: Law
    payload: int
    events: int | None
    hears: frozenset[int]
    sends: bool


class Key(NamedTuple):
    """A key was pressed at the other end of a voice: one of `dtmf.KEYS`."""

    voice: Voice
    key: str


class Played(NamedTuple):
    """What a voice had to play is over."""

    voice: Voice


VoiceEvent = Key | Played


class Speaker(Protocol):
    """Our own end of one side of a stream. While it is open, nothing of the side's is passed on."""

    def settle(self, terms: Terms) -> None:
        """Take how to speak; where to is the relay's `settle`."""

    def play(self, sounds: Sequence[Sound], *, loop: bool) -> None:
        """Play these, one after the other, instead of what is played now; `loop`: for ever, without `Played`."""

    def stop(self) -> None:
        """Be silent: send nothing."""

    def press(self, keys: str) -> None:
        """Send keys as telephone events, one after the other, while what is played waits."""

    def close(self) -> None:
        """Play nothing more: from now on the ports relay."""


class Relay(Protocol):
    """One call's streams. Everything is closed with the call."""

    @property
    def held(self) -> Sequence[tuple[int, int]]:
        """The RTP ports of every stream that has some, the caller's and the member's, in the streams' order."""

    def ports(self, stream: int) -> tuple[int, int] | None:
        """Return the RTP ports of a stream, the caller's and the member's; None where no more are left."""

    def settle(self, stream: int, side: int, path: Path | None) -> None:
        """Take where a side of a stream is; None: it is not wanted (any more)."""

    def speaker(self, stream: int, side: int, voice: Voice) -> Speaker:
        """Return our own end of a side of a stream that has its ports; `voice` is named in what it tells."""

    def adopt(self, side: int, other: Relay) -> None:
        """Take over a side's ports from another relay, with what is spoken there, instead of our own; close the other.

        Both have the same streams.
        """

    def mirror(self) -> None:
        """Let the caller's ports be the member's, and the member's the caller's, with what is spoken there."""

    def close(self) -> None:
        """Give the ports back."""


class Media(Protocol):
    """Whoever owns the ports."""

    def open(self) -> Relay | None:
        """Return a relay whose first stream has its ports; None where no ports are left."""

    def reopen(self, ports: Sequence[tuple[int, int]]) -> Relay | None:
        """Return a relay whose streams have these ports, as one before had; None where one of them is taken."""
