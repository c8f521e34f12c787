"""Descriptions with which nothing flows, or only one way: for a phone that is not talking to anybody (RFC 3725)."""

from __future__ import annotations

from dataclasses import replace

from bridge.sip.message import Body
from bridge.sip.offers import Local
from bridge.sip.sdp import Direction, Media, Origin, Session
from bridge.sip.sdpread import session_in

_DISCARD = 9  # the port that nobody receives at


def still(offer: Body | None, host: str, session: str) -> Body:
    """Return the answer to an offer that takes its audio and lets nothing flow; an offer of the kind to none.

    `session` names it in `o=`, digits. Raises `SipError` where the offer cannot be read.
    """
    theirs = session_in(offer) if offer is not None else None
    if theirs is None:
        return Local(host, _DISCARD, session).offer(way=Direction.NONE).body()
    media = tuple(_still(each) for each in theirs.media)
    return Session(Origin("-", session, 1, host), media, host).body()


def outward(description: Body) -> Body:
    """Return a description of ours as one that only sends, so that the peer's phone shows that it is on hold."""
    ours = session_in(description)
    if ours is None:
        return description
    media = tuple(replace(each, way=_OUTWARD.get(ours.way_of(each), each.way)) for each in ours.media)
    return replace(ours, media=media, way=Direction.BOTH).body()


_OUTWARD = {Direction.BOTH: Direction.SEND, Direction.RECEIVE: Direction.NONE}


def _still(offered: Media) -> Media:
    if offered.kind != "audio" or not offered.port or not offered.rtp:
        return offered.refused()
    crypto = tuple(line for line in offered.lines if line[1].startswith("crypto:"))
    return Media("audio", _DISCARD, offered.protocol, offered.formats, offered.codecs, way=Direction.NONE, lines=crypto)
