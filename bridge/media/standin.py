"""An answer in the place of who refuses every change of a call, as some PBXs do. Pure.

Such a side goes on as it is and is told nothing, so it can stand for itself only as far as the other side goes on
receiving what it sends, where it sends it: hold and resume change nothing but the direction. Where the relay is between
them the other side may change what it likes, since its place is told to nobody.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.media.model import CALLER, SIDES
from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.offers import is_plain_audio
from bridge.sip.sdp import Direction, Media, Session
from bridge.sip.sdpread import session_in

REFUSALS = frozenset({401, 403, 405, 406, 407, 488, 501, 603, 606})
"""What a PBX says to a change of a call, though it is known to it and nothing else is just being changed."""

_NOWHERE = ("0.0.0.0", "::")


class Descriptions:
    """What both sides have said last, in a talk from phone to phone. `offer`: the caller's, where it made one."""

    def __init__(self, offer: Body | None) -> None:
        self._offers: list[Body | None] = [None, None]
        self._said: list[Body | None] = [None, None]
        self._versions = [0, 0]  # of a side's description that it has not made itself
        self._offers[CALLER] = offer

    def offers(self, side: int, body: Body | None) -> None:
        """Take an offer of one side, which the other may still refuse."""
        self._offers[side] = body

    def answers(self, side: int, body: Body | None) -> None:
        """Take one side's answer to the other's offer; None: it has refused it."""
        other = 1 - side
        if body is not None and self._offers[other] is not None:
            self._said[other], self._said[side] = self._offers[other], body
        self._offers = [None, None]

    def instead_of(self, side: int) -> Body | None:
        """Return what a side would answer to the other's offer; None where it would have to be asked."""
        said, before, asked = (_read(body) for body in (self._said[side], self._said[1 - side], self._offers[1 - side]))
        if said is None or before is None or asked is None or not _in_place(before, asked):
            return None
        self._said[1 - side] = self._offers[1 - side]
        self._offers = [None, None]
        self._versions[side] += 1
        answer = answering(said, asked)
        version = answer.origin.version + self._versions[side]
        return replace(answer, origin=answer.origin._replace(version=version)).body()

    def take(self, said: tuple[Body | None, Body | None]) -> None:
        """Go on from what both have said in the relay."""
        for side in SIDES:
            self._said[side] = said[side]


def answering(said: Session, asked: Session) -> Session:
    """Return a description as the answer to an offer: its codecs as far as they are offered, the directions turned."""
    media = []
    for number, each in enumerate(asked.media):
        own = said.media[number] if number < len(said.media) else each.refused()
        media.append(_answering(own, each, said, asked) if own.port and each.port else each.refused())
    return replace(said, media=tuple(media), way=Direction.BOTH)


def _answering(own: Media, asked: Media, said: Session, offered: Session) -> Media:
    way = offered.way_of(asked).answer(said.way_of(own))
    formats = tuple(each for each in own.formats if each in asked.formats) or own.formats
    codecs = tuple(codec for codec in own.codecs if str(codec.payload) in formats)
    return replace(own, formats=formats, codecs=codecs, way=way)


def agreed_with(said: Session, told: Session) -> Session:
    """Return a side's description without the codecs that it was not told of: it sends none of those."""
    media = []
    for number, each in enumerate(said.media):
        other = told.media[number] if number < len(told.media) else None
        media.append(each if other is None or not is_plain_audio(each) else _common(each, other))
    return replace(said, media=tuple(media))


def _common(said: Media, told: Media) -> Media:
    codecs = tuple(codec for codec in said.codecs if any(codec.same(other) for other in told.codecs))
    formats = tuple(str(codec.payload) for codec in codecs)
    return replace(said, formats=formats, codecs=codecs) if codecs else said


def _in_place(before: Session, asked: Session) -> bool:
    """Whether an offer has every stream where it was, or nowhere: the hold of old."""
    return len(asked.media) >= len(before.media) and all(
        (old.kind, old.port) == (new.kind, new.port)
        and asked.host_of(new) in (before.host_of(old), *_NOWHERE)
        and any(each in new.formats for each in old.formats)
        for old, new in zip(before.media, asked.media, strict=False)
    )


def _read(body: Body | None) -> Session | None:
    try:
        return session_in(body)
    except SipError:
        return None
