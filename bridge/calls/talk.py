"""Two legs that are connected: what one side asks inside its dialog is asked of the other, and the answer carried back.

So hold, resume, changed codecs and DTMF by INFO work end to end. Offers and answers are carried as they are where media
flow directly between the phones, else as the `Passage` makes them; who must acknowledge what is decided here:

| the asking side sends | to the other side goes | its 2xx is acknowledged |
|---|---|---|
| INVITE with an offer | INVITE with the offer | at once |
| INVITE without | INVITE without | with the answer that the asking side's ACK brings |
| UPDATE, INFO, MESSAGE | the same | – |

A side that refuses every change of a call, as some PBXs do, is stood in for where it can go on as it is (`standin`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.passage import Passage
from bridge.media.standin import REFUSALS
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Replied, Requested
from bridge.sip.message import Body, Request
from bridge.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from bridge.calls.switch import Asking


_PASSED_ON_AS = {401: 488, 407: 488, 503: 500}
"""What one side says and the other is not told: the wish for a proof; 503, which would be about the bridge."""


class Pending(NamedTuple):
    """What one side has asked and the other has to answer."""

    transaction: ServerTransaction
    request: Request


class Talk:
    """A caller's and a member's leg, connected."""

    def __init__(self, caller: Leg, member: Leg, passage: Passage | None = None) -> None:
        self.caller = caller
        self.member = member
        self._passage = passage
        self._answer_comes_with_ack: Leg | None = None  # the leg whose 2xx brought an offer
        self._acknowledged = False  # and that has had its ACK, so that only the relay waits for the answer

    def other(self, leg: Leg) -> Leg:
        """Return the opposite leg."""
        return self.member if leg is self.caller else self.caller

    def connect(
        self, caller: Asking, offer_was_sent: bool, body: Body | None, now: float, *, acknowledged: bool = False
    ) -> None:
        """Pass the member's 2xx to the caller; if it is an offer, its answer comes with the caller's ACK.

        `acknowledged`: the member is up already, since we have spoken to it before. Raises `SipError` where the relay
        cannot carry it.
        """
        body = self._carried(self.member, body, is_answer=offer_was_sent)
        self._acknowledged = acknowledged
        if not offer_was_sent:
            self._answer_comes_with_ack = self.member
        elif not acknowledged:
            self.member.acknowledge(None, now)
        caller.accept(body, now)

    def await_answer(self, leg: Leg) -> None:
        """Note that a leg's 2xx has brought an offer, which the other side answers with its ACK."""
        self._answer_comes_with_ack = leg

    def on_requested(self, event: Requested, now: float) -> None:
        """Carry a request across."""
        request = event.request
        if request.method == "UPDATE" and not request.body:  # only refreshes the session of who sends it
            event.leg.respond(event.transaction, request, 200, None, now)
            return
        body = request.content
        if request.method in ("INVITE", "UPDATE"):
            body = request.description
            try:
                body = self._carried(event.leg, body, is_answer=False)
            except SipError as error:
                event.leg.respond(event.transaction, request, error.status, None, now)
                return
        if not self.other(event.leg).request(request.method, body, Pending(event.transaction, request), now):
            event.leg.respond(event.transaction, request, 491, None, now)

    def on_replied(self, event: Replied, now: float) -> None:
        """Carry a reply back."""
        pending = event.context
        if not isinstance(pending, Pending):
            return
        asking = self.other(event.leg)
        success = 200 <= event.status < 300
        if event.method in ("INVITE", "UPDATE") and not success and self._stands_in(pending, event, now):
            return
        status = _PASSED_ON_AS.get(event.status, event.status)
        body = event.body if success else None
        offered = pending.request.description is not None
        if event.method in ("INVITE", "UPDATE"):
            try:
                body = self._carried(event.leg, body, is_answer=offered)
            except SipError:
                status, body, offered = 488, None, True
        if event.method == "INVITE" and success:
            if offered:
                event.leg.acknowledge(None, now)
            else:
                self._answer_comes_with_ack = event.leg
        asking.respond(pending.transaction, pending.request, status, body, now)

    def _stands_in(self, pending: Pending, event: Replied, now: float) -> bool:
        """Answer for a side that refuses every change, where it can go on as it is; whether that was done."""
        if self._passage is None:
            return False
        refuses = event.status in REFUSALS and pending.request.body
        body = self._passage.instead_of(event.leg) if refuses else None
        if body is None:
            self._passage.refused(event.leg)
            return False
        self.other(event.leg).respond(pending.transaction, pending.request, 200, body, now)
        return True

    def on_acknowledged(self, event: Acknowledged, now: float) -> None:
        """Carry the answer that an ACK brings."""
        waiting = self._answer_comes_with_ack
        if waiting is not None and waiting is self.other(event.leg):
            self._answer_comes_with_ack = None
            try:
                body = self._carried(event.leg, event.body, is_answer=True)
            except SipError:  # nobody can be told any more; the side that waits for an answer hears nothing
                body = None
            if not self._acknowledged:
                waiting.acknowledge(body, now)
            self._acknowledged = False

    def _carried(self, leg: Leg, body: Body | None, *, is_answer: bool) -> Body | None:
        """Return a leg's description as the other is to have it."""
        if self._passage is None:
            return body
        return self._passage.answer(leg, body) if is_answer else self._passage.offer(leg, body)
