"""Session descriptions as values (RFC 4566); `sdpread` reads them, `offers` makes and answers them.

What offers and answers turn on is taken apart: where media are received, which payload type means what, which way it
flows. Every other line is kept as it came and written back, so that a description can be passed on with only its
addresses changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from bridge.sip.message import Body

TYPE = "application/sdp"

_RTP = re.compile(r"(?:UDP/TLS/)?RTP/S?AVPF?\Z")
_SESSION_ORDER = "iuepcbtrzka"
_MEDIA_ORDER = "icbka"


class Direction(Enum):
    """Which way media flow, as their describer sees it."""

    BOTH = "sendrecv"
    SEND = "sendonly"
    RECEIVE = "recvonly"
    NONE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the describer sends."""
        return self in (Direction.BOTH, Direction.SEND)

    @property
    def receives(self) -> bool:
        """Whether the describer receives."""
        return self in (Direction.BOTH, Direction.RECEIVE)

    def answer(self, wish: Direction) -> Direction:
        """Return the answer to an offer of this direction by somebody who would like `wish` (RFC 3264 §6.1)."""
        return direction(wish.sends and self.receives, wish.receives and self.sends)


def direction(sends: bool, receives: bool) -> Direction:
    """Return the direction of somebody who sends, or receives, or both."""
    if sends:
        return Direction.BOTH if receives else Direction.SEND
    return Direction.RECEIVE if receives else Direction.NONE


class Codec(NamedTuple):
    """What a payload type means. `parameters` are those of `a=fmtp`."""

    payload: int
    name: str
    rate: int
    channels: int = 1
    parameters: str | None = None

    def same(self, other: Codec) -> bool:
        """Whether both are the same encoding, under whatever payload types."""
        return (self.name.upper(), self.rate, self.channels) == (other.name.upper(), other.rate, other.channels)


STATIC = {
    codec.payload: codec
    for codec in (
        Codec(0, "PCMU", 8000),
        Codec(3, "GSM", 8000),
        Codec(4, "G723", 8000),
        Codec(8, "PCMA", 8000),
        Codec(9, "G722", 8000),
        Codec(13, "CN", 8000),
        Codec(15, "G728", 8000),
        Codec(18, "G729", 8000),
    )
}
"""Payload types that need no `a=rtpmap` (RFC 3551 §6)."""


class Origin(NamedTuple):
    """Who described the session, and which version this is."""

    username: str
    session: str
    version: int
    host: str


Line = tuple[str, str]
"""A line's letter and its value."""


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line with what belongs to it. A `port` of 0 means that it is refused, or not wanted any more.

    `formats` are the payload types or other formats as written; `codecs` what RTP's payload types among them mean,
    as far as that is said. `host` is None where the session's is meant, `way` where the session's direction is.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    codecs: tuple[Codec, ...] = ()
    host: str | None = None
    way: Direction | None = None
    lines: tuple[Line, ...] = ()

    @property
    def rtp(self) -> bool:
        """Whether it is RTP of any profile."""
        return _RTP.match(self.protocol) is not None

    def refused(self) -> Media:
        """Return the answer that refuses it (RFC 3264 §6)."""
        return Media(self.kind, 0, self.protocol, self.formats)


@dataclass(frozen=True, slots=True)
class Session:
    """A whole description."""

    origin: Origin
    media: tuple[Media, ...]
    host: str | None = None
    way: Direction = Direction.BOTH
    name: str = "-"
    lines: tuple[Line, ...] = field(default=(("t", "0 0"),))

    def host_of(self, media: Media) -> str | None:
        """Return where one of its media is received."""
        return media.host or self.host

    def way_of(self, media: Media) -> Direction:
        """Return which way one of its media flows; nowhere where the address is the 0.0.0.0 of old, for hold."""
        way = media.way or self.way
        return direction(way.sends, False) if self.host_of(media) in ("0.0.0.0", "::") else way

    def body(self) -> Body:
        """Return it as a message's body."""
        return Body(TYPE, bytes(self))

    def __bytes__(self) -> bytes:
        origin = self.origin
        lines = ["v=0", f"o={origin.username} {origin.session} {origin.version} {_net(origin.host)}", f"s={self.name}"]
        way = None if self.way is Direction.BOTH else self.way
        lines += _written(self.host, (), way, self.lines, _SESSION_ORDER)
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            lines += _written(media.host, media.codecs, media.way, media.lines, _MEDIA_ORDER)
        return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


def _net(host: str) -> str:
    return f"IN {'IP6' if ':' in host else 'IP4'} {host}"


def _written(
    host: str | None, codecs: tuple[Codec, ...], way: Direction | None, lines: tuple[Line, ...], order: str
) -> list[str]:
    """Return the lines of a session or media, in the order that RFC 4566 §5 asks for."""
    pairs = list(lines)
    if host is not None:
        pairs.append(("c", _net(host)))
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels != 1 else ""
        pairs.append(("a", f"rtpmap:{codec.payload} {codec.name}/{codec.rate}{channels}"))
        if codec.parameters is not None:
            pairs.append(("a", f"fmtp:{codec.payload} {codec.parameters}"))
    if way is not None:
        pairs.append(("a", way.value))
    pairs.sort(key=lambda pair: order.find(pair[0]))
    return [f"{letter}={value}" for letter, value in pairs]
