"""The one call that a phone has: its leg, its sound, and what both sides have said of the media (RFC 3264).

Whatever the other side says that cannot be taken raises `SipError`, on which the phone ends the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bridge.phone.model import Connected, Flowing, PhoneEvent, Refused
from bridge.phone.voice import Voice
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Replied, Requested
from bridge.sip.message import Body
from bridge.sip.offers import Local, agreed
from bridge.sip.sdp import Direction, Session
from bridge.sip.sdpread import session_in


class Change(NamedTuple):
    """What we asked the other side to change: how people call it, and our description with it."""

    what: str
    ours: Session
    wish: Direction


class Talk:
    """A call, from its ringing on. `offer` is the caller's, None where we are to make one; `say` takes events."""

    def __init__(
        self, leg: IncomingLeg, local: Local, offer: Session | None, voice: Voice, say: Callable[[PhoneEvent], None]
    ) -> None:
        self.leg = leg
        self.voice = voice
        self.up = False
        self._local = local
        self._theirs = offer
        self._ours: Session | None = None  # our latest description, perhaps still without its answer
        self._wish = Direction.BOTH
        self._codec = ""
        self._say = say

    @property
    def ringing(self) -> bool:
        """Whether it is still to be answered."""
        return self._ours is None

    def answer(self, now: float) -> None:
        """Say 200, with our answer, or our offer where the caller made none."""
        if self._theirs is None:
            self._ours = self._local.offer()
        else:
            self._agree(self._local.answer(self._theirs), self._theirs, now)
        assert self._ours is not None
        self.leg.accept(self._ours.body(), now)

    def ask(self, what: str, wish: Direction, now: float) -> bool:
        """Ask the other side to let media flow this way; False where that cannot be asked now."""
        ours = self._local.offer(self._version, wish)
        return self.up and self.leg.request("INVITE", ours.body(), Change(what, ours, wish), now)

    def acknowledged(self, body: Body | None, now: float) -> None:
        """Take the ACK of a 2xx of ours, with the answer where the 2xx had the offer."""
        if self._theirs is None and self._ours is not None:
            theirs = session_in(body)
            if theirs is None:
                raise SipError("the ACK has no answer to our offer")
            self._agree(self._ours, theirs, now)
        if not self.up:
            self.up = True
            self._say(Connected(self._codec))

    def requested(self, event: Requested, now: float) -> None:
        """Answer what the other side asks: a change of media, or what a phone like this has no use for."""
        leg, transaction, request = event
        answer = None
        if request.method in ("INVITE", "UPDATE"):
            try:
                answer = self._answer_change(session_in(request.content), request.method, now)
            except SipError as error:  # the talk stays as it was
                leg.respond(transaction, request, error.status, None, now)
                return
        leg.respond(transaction, request, 200, answer.body() if answer else None, now)

    def replied(self, event: Replied, now: float) -> None:
        """Take the answer to what we asked."""
        change = event.context
        if not isinstance(change, Change):
            return
        if not 200 <= event.status < 300:
            self._say(Refused(change.what, event.status))
            return
        self.leg.acknowledge(None, now)
        theirs = session_in(event.body)
        if theirs is None:
            raise SipError("the answer has no description")
        self._wish = change.wish
        self._agree(change.ours, theirs, now)

    @property
    def _version(self) -> int:
        return self._ours.origin.version + 1 if self._ours else 1

    def _answer_change(self, offer: Session | None, method: str, now: float) -> Session | None:
        """Return our answer to an offer; our own offer, its answer still to come, where a re-INVITE has none."""
        if offer is not None:
            self._agree(self._local.answer(offer, self._version, self._wish), offer, now)
        elif method == "INVITE":
            self._ours, self._theirs = self._local.offer(self._version, self._wish), None
        else:
            return None
        return self._ours

    def _agree(self, ours: Session, theirs: Session, now: float) -> None:
        """Take up what both descriptions come to."""
        settled = agreed(ours, theirs)
        self._ours, self._theirs = ours, theirs
        self._codec = settled.codec.name
        self.voice.settle(settled, now)
        if self.up:
            self._say(Flowing(settled.sends, settled.receives))
