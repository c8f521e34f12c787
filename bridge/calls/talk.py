"""Two legs that are connected: what one side asks inside its dialog is asked of the other, and the answer carried back.

So hold, resume, changed codecs and DTMF by INFO work end to end, and media flow directly between the phones. Offers and
answers are carried as they are; only who must acknowledge what is decided here:

| the asking side sends | to the other side goes | its 2xx is acknowledged |
|---|---|---|
| INVITE with an offer | INVITE with the offer | at once |
| INVITE without | INVITE without | with the answer that the asking side's ACK brings |
| UPDATE, INFO, MESSAGE | the same | – |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Replied, Requested
from bridge.sip.message import Body, Request
from bridge.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from bridge.calls.switch import Asking


class Pending(NamedTuple):
    """What one side has asked and the other has to answer."""

    transaction: ServerTransaction
    request: Request


class Talk:
    """A caller's and a member's leg, connected."""

    def __init__(self, caller: Leg, member: Leg) -> None:
        self.caller = caller
        self.member = member
        self._answer_comes_with_ack: Leg | None = None  # the leg whose 2xx brought an offer

    def other(self, leg: Leg) -> Leg:
        """Return the opposite leg."""
        return self.member if leg is self.caller else self.caller

    def connect(self, caller: Asking, offer_was_sent: bool, body: Body | None, now: float) -> None:
        """Pass the member's 2xx to the caller; if it is an offer, its answer comes with the caller's ACK."""
        if offer_was_sent:
            self.member.acknowledge(None, now)
        else:
            self._answer_comes_with_ack = self.member
        caller.accept(body, now)

    def on_requested(self, event: Requested, now: float) -> None:
        """Carry a request across."""
        request = event.request
        if request.method == "UPDATE" and not request.body:  # only refreshes the session of who sends it
            event.leg.respond(event.transaction, request, 200, None, now)
            return
        carried = self.other(event.leg).request(
            request.method, request.content, Pending(event.transaction, request), now
        )
        if not carried:
            event.leg.respond(event.transaction, request, 491, None, now)

    def on_replied(self, event: Replied, now: float) -> None:
        """Carry a reply back."""
        pending = event.context
        if not isinstance(pending, Pending):
            return
        asking = self.other(event.leg)
        success = 200 <= event.status < 300
        if event.method == "INVITE" and success:
            if pending.request.body:
                event.leg.acknowledge(None, now)
            else:
                self._answer_comes_with_ack = event.leg
        status = 488 if event.status in (401, 407) else event.status
        asking.respond(pending.transaction, pending.request, status, event.body if success else None, now)

    def on_acknowledged(self, event: Acknowledged, now: float) -> None:
        """Carry the answer that an ACK brings."""
        waiting = self._answer_comes_with_ack
        if waiting is not None and waiting is self.other(event.leg):
            self._answer_comes_with_ack = None
            waiting.acknowledge(event.body, now)
