"""Our own voice at one side of a relayed call: what it agrees upon with the peer, what it plays and presses. Pure.

A caller who waits, a menu, "press 1 to take the call": the bridge answers or offers itself, with G.711 and telephone
events alone, from the very ports that relay later. So a peer need not be told anything when somebody else takes over:
`agreed` is its description narrowed to what was agreed upon, to be offered onward, and what comes of that differs at
most in payload types and the law, which the relay translates (`translation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bridge.media.g711 import LAWS
from bridge.media.model import Path, Sound, Speaker, Terms, VoiceEvent
from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.offers import Agreed, Local, agreed, is_plain_audio
from bridge.sip.sdp import Codec, Direction, Media, Session
from bridge.sip.sdpread import session_in

if TYPE_CHECKING:
    from bridge.media.carriage import Carriage

NO_PORTS = 503
_EVENTS = "telephone-event"
_KEPT = ("ptime", "maxptime", "rtcp")


class VoiceOwner(Protocol):
    """Whoever a voice speaks for."""

    def voiced(self, event: VoiceEvent, now: float) -> None:
        """Take what happened at the voice."""


class Voice:
    """One side's own end. `carriage` is that of the call; made by its `voice`."""

    def __init__(self, carriage: Carriage, side: int) -> None:
        self.owner: VoiceOwner | None = None
        self.agreed: Body | None = None
        """The peer's description, narrowed to what was agreed upon; None before."""
        self.said: Body | None = None
        """What the peer was told last."""
        self.closed = False
        self._carriage = carriage
        self._side = side
        self._ours: Session | None = None
        self._terms: Terms | None = None
        self._speaker: Speaker | None = None
        self._stream = 0
        self._wanted: tuple[tuple[Sound, ...], bool] = ((), False)  # what is to be played as soon as it can be

    # -- offer and answer ------------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether the peer wants to hear nothing now (hold)."""
        return self._terms is not None and not self._terms.sends

    @property
    def takes_keys(self) -> bool:
        """Whether the peer understands telephone events, so that `press` reaches it."""
        return self._terms is not None and self._terms.events is not None

    def answer(self, offer: Body) -> Body:
        """Return the answer to the peer's offer. Raises `SipError`: 488 without G.711, 503 without ports."""
        theirs = _read(offer)
        ours = self._at_ports(self._local().answer(theirs))
        self._settle(ours, theirs)
        return self._told(ours)

    def offer(self) -> Body:
        """Return an offer of ours. Raises `SipError` 503 where there are no ports."""
        return self._told(self._at_ports(self._again() or self._local().offer()))

    def offers(self, offer: Body) -> None:
        """Take note that the peer was offered this, in whose answer we speak."""
        self._ours, self.said = _read(offer), offer

    def joins(self, carriage: Carriage) -> None:
        """Speak on, in another carriage that has taken over our side's ports."""
        self._carriage = carriage

    def turns_to(self, other: Voice) -> None:
        """Speak on, to somebody else, who was offered what another voice of ours has told."""
        self._ours, self.said = other._ours, other.said

    def ensure_agreed(self, answer: Body) -> None:
        """Raise `SipError` 488 where an answer to our offer has nothing in common with it."""
        if self._ours is None:
            raise SipError("an answer without an offer", 488)
        agreed(self._ours, _read(answer))

    def crosses(self) -> None:
        """Speak to the same peer, who is on the other side now."""
        self._side = 1 - self._side

    def settle(self, answer: Body) -> None:
        """Take the peer's answer to our offer. Raises `SipError` 488 where nothing is in common."""
        if self._ours is None:
            raise SipError("an answer without an offer", 488)
        self._settle(self._ours, _read(answer))

    def _again(self) -> Session | None:
        """Return what was told last as a new offer: the same streams, both ways, at the address that is ours now."""
        if self._ours is None:
            return None
        media = tuple(replace(each, way=Direction.BOTH) for each in self._ours.media)
        return replace(self._ours, host=self._carriage.parties[self._side].ours, media=media)

    def _local(self) -> Local:
        return Local(self._carriage.parties[self._side].ours, 9, self._carriage.told[self._side].session)

    def _at_ports(self, session: Session) -> Session:
        """Return a description of ours with the ports of the stream that is taken in it."""
        number = _taken(session)
        ports = self._carriage.relay.ports(number)
        if ports is None:
            raise SipError("no ports are left for media", NO_PORTS)
        media = list(session.media)
        media[number] = replace(media[number], port=ports[self._side])
        return replace(session, media=tuple(media))

    def _told(self, session: Session) -> Body:
        self._ours = session
        self.said = self._carriage.told[self._side].body(session, self._carriage.parties[self._side].ours)
        return self.said

    def _settle(self, ours: Session, theirs: Session) -> None:
        common, number = agreed(ours, theirs), _taken(ours)
        media = theirs.media[number]
        self._ours = ours
        self.agreed = _narrowed(theirs, number, common).body()
        relay = self._carriage.relay
        path: Path = self._carriage.path(self._side, theirs, media)
        relay.settle(number, self._side, path)
        if self._speaker is not None and number != self._stream:  # the peer has changed its streams' order
            self._speaker.close()
            self._speaker = None
        if self._speaker is None:
            self._stream = number
            self._speaker = relay.speaker(number, self._side, self)
        self._terms = _terms(common)
        self._speaker.settle(self._terms)
        sounds, loop = self._wanted
        if sounds:
            self._wanted = (), False
            self._speaker.play(sounds, loop=loop)

    # -- what is heard ---------------------------------------------------------------------------------------------

    def play(self, sounds: Sequence[Sound], *, loop: bool = False) -> None:
        """Play these instead of what is played now, as soon as there is an agreement; `Played` follows but for a loop.

        While the peer holds us nothing is sent: it goes on where it was.
        """
        if self._speaker is None:
            self._wanted = tuple(sounds), loop
        elif not self.closed:
            self._speaker.play(sounds, loop=loop)

    def stop(self) -> None:
        """Be silent."""
        self._wanted = (), False
        if self._speaker is not None and not self.closed:
            self._speaker.stop()

    def press(self, keys: str) -> bool:
        """Send keys as telephone events (`dtmf.KEYS`); False where the peer takes none."""
        if self._speaker is None or self.closed or not self.takes_keys:
            return False
        self._speaker.press(keys)
        return True

    def close(self) -> None:
        """Play nothing more and hear nothing more; the ports stay the relay's."""
        if not self.closed:
            self.closed = True
            if self._speaker is not None:
                self._speaker.close()


def speakable(offer: Body) -> Body:
    """Return a description with nothing in it but what we speak ourselves. Raises `SipError` 488 where that is none."""
    session = _read(offer)
    for number, media in enumerate(session.media):
        codecs = tuple(codec for codec in media.codecs if any(codec.same(own) for own in Local("", 9, "").codecs))
        if is_plain_audio(media) and any(not _is_event(codec) for codec in codecs):
            every = [each.refused() for each in session.media]
            formats = tuple(str(codec.payload) for codec in codecs)
            every[number] = replace(media, formats=formats, codecs=codecs, lines=_lines_of(media))
            return replace(session, media=tuple(every)).body()
    raise SipError("the offer has nothing that we speak", 488)


def _terms(common: Agreed) -> Terms:
    hears = frozenset(payload for payload, codec in common.incoming.items() if _is_event(codec))
    law = LAWS[common.codec.name.upper()]
    return Terms(law, common.codec.payload, common.events.payload if common.events else None, hears, common.sends)


def _narrowed(theirs: Session, number: int, common: Agreed) -> Session:
    """Return the peer's description with nothing but the codec and the events that were agreed upon."""
    kept = tuple(codec for codec in (common.codec, common.events) if codec is not None)
    formats = tuple(str(codec.payload) for codec in kept)
    media = [each.refused() for each in theirs.media]
    media[number] = replace(theirs.media[number], formats=formats, codecs=kept, lines=_lines_of(theirs.media[number]))
    return replace(theirs, media=tuple(media))


def _lines_of(media: Media) -> tuple[tuple[str, str], ...]:
    """Return a stream's lines that are true of what we agreed upon: without codecs that are gone, keys, rtcp-mux."""
    return tuple(line for line in media.lines if line[0] == "a" and line[1].partition(":")[0] in _KEPT)


def _taken(session: Session) -> int:
    """Return which stream of a description of ours is wanted; there is one."""
    return next(number for number, media in enumerate(session.media) if media.port)


def _is_event(codec: Codec) -> bool:
    return codec.name.lower() == _EVENTS


def _read(body: Body) -> Session:
    session = session_in(body)
    assert session is not None
    return session
