"""Offer and answer of one audio stream (RFC 3264): what we offer, what we answer, and what the two agreed upon.

The payload types in a description are those that its writer wants to *receive*; an answer takes over the offer's
numbers, so that both ways are the same with nearly every peer, but what is sent goes by the other's description.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.sip.grammar import SipError
from bridge.sip.sdp import Codec, Direction, Media, Origin, Session

EVENTS = Codec(101, "telephone-event", 8000, parameters="0-15")
PCMU = Codec(0, "PCMU", 8000)
PCMA = Codec(8, "PCMA", 8000)
_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")
_NOTHING_IN_COMMON = 488


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of an audio stream: where we receive, and what, the best first. `session` names it in `o=`, a number."""

    host: str
    port: int
    session: str
    codecs: tuple[Codec, ...] = (PCMA, PCMU, EVENTS)
    username: str = "-"

    def offer(self, version: int = 1, way: Direction = Direction.BOTH) -> Session:
        """Return our offer."""
        return self._session(version, (self._audio(self.codecs, "RTP/AVP", way),))

    def answer(self, offer: Session, version: int = 1, wish: Direction = Direction.BOTH) -> Session:
        """Return our answer: the offer's first audio stream that we can take, with the codec that it likes best.

        Raises `SipError` 488 where there is none.
        """
        media = []
        taken = False
        for offered in offer.media:
            codecs = () if taken else self._common(offered)
            taken = taken or bool(codecs)
            way = offer.way_of(offered).answer(wish)
            media.append(self._audio(codecs, offered.protocol, way) if codecs else offered.refused())
        if not taken:
            known = ", ".join(f"{codec.name}/{codec.rate}" for codec in self.codecs)
            raise SipError(f"the offer has no audio that is one of {known}", _NOTHING_IN_COMMON)
        return self._session(version, tuple(media))

    def _common(self, offered: Media) -> tuple[Codec, ...]:
        """Return the codec to answer with, and the telephone events; empty where there is no codec in common."""
        if not is_plain_audio(offered):
            return ()
        ours = [own._replace(payload=each.payload) for each in offered.codecs for own in self.codecs if own.same(each)]
        voice = [codec for codec in ours if not _is_event(codec)]
        events = [codec for codec in ours if _is_event(codec)]
        return (*voice[:1], *events[:1]) if voice else ()

    def _audio(self, codecs: tuple[Codec, ...], protocol: str, way: Direction) -> Media:
        formats = tuple(str(codec.payload) for codec in codecs)
        return Media("audio", self.port, protocol, formats, codecs, way=way, lines=(("a", "ptime:20"),))

    def _session(self, version: int, media: tuple[Media, ...]) -> Session:
        return Session(Origin(self.username, self.session, version, self.host), media, self.host)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What offer and answer come to: where to send and as what, and what the payload types that come in mean."""

    host: str
    port: int
    codec: Codec
    events: Codec | None
    incoming: Mapping[int, Codec]
    sends: bool
    receives: bool


def agreed(ours: Session, theirs: Session) -> Agreed:
    """Return what our description and theirs agree upon, whoever offered. Raises `SipError` 488 where nothing."""
    for mine, other in zip(ours.media, theirs.media, strict=False):
        if not is_plain_audio(mine) or not is_plain_audio(other):
            continue
        common = [codec for codec in other.codecs if any(codec.same(own) for own in mine.codecs)]
        voice = [codec for codec in common if not _is_event(codec)]
        if voice:
            return Agreed(
                host=_address(theirs.host_of(other)),
                port=other.port,
                codec=voice[0],
                events=next((codec for codec in common if _is_event(codec)), None),
                incoming={codec.payload: codec for codec in mine.codecs},
                sends=ours.way_of(mine).sends and theirs.way_of(other).receives,
                receives=ours.way_of(mine).receives and theirs.way_of(other).sends,
            )
    raise SipError("the descriptions have no audio in common", _NOTHING_IN_COMMON)


def is_plain_audio(media: Media) -> bool:
    """Whether this is sound in RTP that is not encrypted, and wanted."""
    return media.kind == "audio" and media.port != 0 and media.protocol.upper() in _PROTOCOLS


def _is_event(codec: Codec) -> bool:
    return codec.name.lower() == "telephone-event"


def _address(host: str | None) -> str:
    try:
        return str(ipaddress.ip_address(host or ""))
    except ValueError:
        raise SipError(f"media address {(host or 'none')[:60]!r} must be an IP address", _NOTHING_IN_COMMON) from None
