"""Payload types that two sides number differently, and the two laws of G.711, made the same in the relay. Pure.

An offer goes on with its own numbers, and with the law of G.711 that it lacks; so there is a common codec even between
a phone that has A-law alone and one that has µ-law alone. The answer that comes back is told in the offerer's words.
What is not plain RTP audio is not looked into: video goes on as it is, and SRTP signs its headers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from bridge.media.g711 import ALAW, LAWS, ULAW, Law, decode, encode
from bridge.media.model import Translation
from bridge.sip.grammar import SipError
from bridge.sip.sdp import STATIC, Codec, Media

_PLAIN = ("RTP/AVP", "RTP/AVPF")
_MARKER = 0x80
_LOWEST_OF_RTCP, _HIGHEST_OF_RTCP = 64, 95  # as payload types (RFC 5761 §4): not to be touched


class Matched(NamedTuple):
    """The answer in the offerer's words, and what becomes of what either side sends."""

    media: Media
    from_offerer: Translation | None = None
    from_answerer: Translation | None = None


def translatable(media: Media) -> bool:
    """Whether payload types and sound of this stream may be changed on the way."""
    return media.kind == "audio" and media.protocol.upper() in _PLAIN


def widened(offered: Media) -> Media:
    """Return an offer with the law of G.711 that it lacks, behind what it prefers."""
    laws = {codec.name.upper() for codec in offered.codecs if _law(codec)}
    if not translatable(offered) or len(laws) != 1:
        return offered
    other = STATIC[(ULAW if ALAW.name in laws else ALAW).payload]
    if str(other.payload) in offered.formats:
        return offered
    after = max(index for index, each in enumerate(offered.formats) if _of(offered, each, laws)) + 1
    formats = (*offered.formats[:after], str(other.payload), *offered.formats[after:])
    return replace(offered, formats=formats, codecs=(*offered.codecs, other))


def matched(offered: Media, answered: Media) -> Matched:
    """Tell an answer to `widened(offered)` as one to `offered`. Raises `SipError` 488 where they share nothing."""
    if not translatable(offered):
        return Matched(answered)
    pairs = _pairs(offered, answered)
    told: dict[int, tuple[Codec, Codec]] = {}
    for mine, theirs in pairs:
        if mine.payload not in told or mine.same(theirs):
            told[mine.payload] = (mine, theirs)
    unknown = [each for each in answered.formats if each in offered.formats and not _known(offered, answered, each)]
    if not unknown and not any(_is_voice(mine) for mine, _ in pairs):
        raise SipError("the answer has no codec of the offer", 488)
    codecs = tuple(mine._replace(parameters=theirs.parameters) for mine, theirs in told.values())
    media = replace(answered, formats=(*(str(codec.payload) for codec in codecs), *unknown), codecs=codecs)
    return Matched(media, _translation(list(told.values())), _translation(_sent_back(offered, pairs)))


def _pairs(offered: Media, answered: Media) -> list[tuple[Codec, Codec]]:
    """Return what goes together, as the offerer and as the answerer numbers it, in the answer's order."""
    found = []
    for theirs in answered.codecs:
        alike = [mine for mine in offered.codecs if mine.same(theirs)]
        if not alike and _law(theirs):
            alike = [mine for mine in offered.codecs if _law(mine)]
        if alike:
            found.append((next((mine for mine in alike if mine.payload == theirs.payload), alike[0]), theirs))
    return found


def _sent_back(offered: Media, pairs: list[tuple[Codec, Codec]]) -> list[tuple[Codec, Codec]]:
    """Return what the answerer may send, numbered as it was offered or, as some do, as it answered."""
    asked = widened(offered).codecs
    found = []
    for mine, theirs in pairs:
        found.append((next((codec for codec in asked if codec.same(theirs)), theirs), mine))
        if all(codec.payload != theirs.payload for codec in asked):
            found.append((theirs, mine))
    return found


def _translation(pairs: list[tuple[Codec, Codec]]) -> Translation | None:
    """Return what makes the first of each pair the second; None where nothing is to be done."""
    types = bytearray(range(256))
    recoded: dict[int, bytes] = {}
    for come, go in pairs:
        if _LOWEST_OF_RTCP <= come.payload <= _HIGHEST_OF_RTCP:
            continue
        for marker in (0, _MARKER):
            types[come.payload | marker] = go.payload | marker
            first, second = _law(come), _law(go)
            if first is not None and second is not None and first is not second:
                recoded[come.payload | marker] = _recoding(first, second)
    return Translation(bytes(types), recoded) if recoded or types != bytes(range(256)) else None


@cache
def _recoding(come: Law, go: Law) -> bytes:
    """Return for each byte of one law that of the other which sounds most like it."""
    return encode(go, decode(come, bytes(range(256))))


def _law(codec: Codec) -> Law | None:
    return LAWS.get(codec.name.upper()) if (codec.rate, codec.channels) == (8000, 1) else None


def _is_voice(codec: Codec) -> bool:
    return codec.name.lower() not in ("telephone-event", "cn")


def _of(media: Media, written: str, names: set[str]) -> bool:
    return any(str(codec.payload) == written and codec.name.upper() in names for codec in media.codecs)


def _known(offered: Media, answered: Media, written: str) -> bool:
    return any(str(codec.payload) == written for codec in (*offered.codecs, *answered.codecs))
