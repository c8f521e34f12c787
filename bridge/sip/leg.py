"""A leg: our half of one INVITE dialog, from the INVITE to the last ACK.

An `OutgoingLeg` asks a phone (UAC), an `IncomingLeg` is asked by a caller (UAS); once both sides have the 2xx they
behave alike (`Leg`): re-INVITE, UPDATE, INFO and BYE either way. A leg is told what to do by plain calls, which end in
the transaction layer, and says what has happened by queueing an event (`legevents`); it never calls its owner.

Three things that are easily got wrong, and where they are done:
- *Cancel is a remembered intention* (RFC 3261 §9.1): `OutgoingLeg.cancel` before the first provisional waits for it.
- A 2xx that crosses the CANCEL is told to the call like any other, which hangs it up; one from a second fork
  `OutgoingLeg` itself acknowledges and hangs up (§13.2.2.4).
- BYE by the callee waits for the caller's ACK (§15); a 2xx goes out again until that ACK comes (§13.3.1.4).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from bridge.sip.dialog import Dialog
from bridge.sip.flow import Flow, Send
from bridge.sip.glare import SOON, TRIES, Again, pause
from bridge.sip.legevents import Acknowledged, Ended, LegEvent, Moved, Replied, Requested
from bridge.sip.lookout import Lookout
from bridge.sip.message import Body, Request, Response, response_to
from bridge.sip.session_timer import agreed
from bridge.sip.transaction import ClientTransaction, ServerTransaction
from bridge.sip.unacknowledged import Unacknowledged

if TYPE_CHECKING:
    from bridge.sip.digest import Authenticator
    from bridge.sip.useragent import UserAgent


RETURNS_WITHIN = 32.0  # seconds that a phone without a connection has to make another one, to be hung up by it
_LOOK = object()


class LegState(Enum):
    """Where a leg stands."""

    TRYING = "trying"  # INVITE sent, nothing heard; or INVITE received, nothing but 100 sent
    RINGING = "ringing"  # a provisional response was heard or sent
    ANSWERED = "answered"  # 2xx heard or sent, ACK outstanding
    UP = "up"
    ENDING = "ending"  # BYE or CANCEL sent, its outcome outstanding
    ENDED = "ended"


class Leg:
    """What both kinds of leg share: the confirmed dialog.

    With slots, since a leg outlives its call by half a minute, to acknowledge a 2xx that comes again.
    """

    __slots__ = (
        "__weakref__",
        "_ack",
        "_ack_seq",
        "_again",
        "_asked",
        "_asking",
        "_bye_wanted",
        "_heard",
        "_invite_seq",
        "lookout",
        "_owed",
        "_patience",
        "_reason",
        "_told",
        "_unacknowledged",
        "authenticator",
        "call_id",
        "contact",
        "dialog",
        "due",
        "flow",
        "local_tag",
        "owner",
        "pinned",
        "state",
        "ua",
    )

    def __init__(self, ua: UserAgent, call_id: str, local_tag: str, flow: Flow, contact: str, pinned: bool) -> None:
        self.ua = ua
        self.call_id = call_id
        self.local_tag = local_tag
        self.flow = flow
        self.contact = contact
        self.pinned = pinned
        self.state = LegState.TRYING
        self.dialog: Dialog | None = None
        self.owner: Any = None  # the call it belongs to
        self.due: float | None = None
        self._unacknowledged: Unacknowledged | None = None
        self._asking: ServerTransaction | None = None  # the peer's INVITE or UPDATE, not answered yet
        self._owed: tuple[
            tuple[ServerTransaction, Request], ...
        ] = ()  # every request that the call still has to answer
        self._asked: ClientTransaction | None = None  # ours, not answered yet
        self._bye_wanted = False
        self._heard: Flow | None = None  # another connection of the phone's
        self._reason: str | None = None
        self._invite_seq = 0  # of our INVITE that awaits its ACK
        self._ack: Send | None = None  # the last ACK to a 2xx, to be sent again
        self._ack_seq = 0
        self.authenticator: Authenticator | None = None
        self.lookout = Lookout()
        self._told: Body | None = None  # how we have described ourselves last
        self._patience = 0  # how often our re-INVITE may still be tried after a 491
        self._again: Again | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more can be done with it."""
        return self.state in (LegState.ENDING, LegState.ENDED)

    @property
    def owns_call_id(self) -> bool:
        """Whether the Call-ID is ours; not known of a dialog from before a restart, and then it is safer to be slow."""
        return True

    @property
    def knows_our_place(self) -> bool:
        """Whether the peer was told our Contact as it is now."""
        return self.dialog is not None and self.dialog.contact == self.contact

    # -- what a leg can be told --------------------------------------------------------------------------------

    def request(self, method: str, body: Body | None, context: Any, now: float, *, patient: bool = False) -> bool:
        """Send a request inside the dialog; False where that cannot be now (no dialog, or an offer is open: 491).

        `patient`: a re-INVITE of our own, which is tried again where it crosses one of the peer's (`glare`).
        """
        if self.state is not LegState.UP or self.dialog is None:
            return False
        if method in ("INVITE", "UPDATE") and (self._asked or self._asking or self._unacknowledged):
            return False
        transaction = self._send(method, body, context, now)
        if method in ("INVITE", "UPDATE"):
            self._asked = transaction
            self._patience = TRIES if patient else 0
        return True

    def _waits(self, body: Body | None, context: Any, now: float) -> bool:
        """Wait after a 491 to ask again; False where that has been tried often enough, or is the peer's own to do."""
        if not self._patience or self.state is not LegState.UP:
            return False
        self._again = Again(now + pause(self.owns_call_id, self.ua.uniform), body, context, self._patience - 1)
        self._rearm()
        return True

    def _ask_again(self, again: Again, now: float) -> None:
        if self._asked or self._asking or self._unacknowledged:
            self._again = again._replace(at=now + SOON)
            return
        self._again = None
        self._asked = self._send("INVITE", again.body, again.context, now)
        self._patience = again.left

    def _send(
        self, method: str, body: Body | None, context: Any, now: float, credentials: tuple[str, str] | None = None
    ) -> ClientTransaction:
        assert self.dialog is not None
        self.dialog, request = self.dialog.request(method)
        if method in ("INVITE", "UPDATE"):
            request.set("Contact", self.contact)
            request.set("Allow", self.ua.allow)
            for name, value in self.lookout.headers:
                request.set(name, value)
        if method == "BYE" and self._reason:
            request.set("Reason", self._reason)
        request.put(body)
        if credentials is not None:
            request.set(*credentials)
        elif self.authenticator is not None:
            self.authenticator.authorize(request)
        return self.ua.layer.request(request, self.dialog.flow, self, now, (context, body))

    def notify_refer(self, status: int, phrase: str, over: bool, now: float) -> None:
        """Tell the peer how far its REFER has come (RFC 3515 §2.4.4, RFC 3420)."""
        if self.state is not LegState.UP or self.dialog is None:
            return
        self.dialog, request = self.dialog.request("NOTIFY")
        request.set("Contact", self.contact)
        request.set("Event", "refer")
        request.set("Subscription-State", "terminated;reason=noresource" if over else "active;expires=180")
        request.put(Body("message/sipfrag;version=2.0", f"SIP/2.0 {status} {phrase}\r\n".encode()))
        if self.authenticator is not None:
            self.authenticator.authorize(request)
        self.ua.layer.request(request, self.dialog.flow, self, now, (_LOOK, request.content))

    def respond(
        self, transaction: ServerTransaction, request: Request, status: int, body: Body | None, now: float
    ) -> None:
        """Answer a `Requested`; a 2xx to an INVITE is repeated until its ACK. Once answered, nothing changes."""
        owed = tuple(each for each in self._owed if each[0] is not transaction)
        if len(owed) == len(self._owed):
            return
        self._owed = owed
        if self._asking is transaction:
            self._asking = None
        response = response_to(request, status)
        if 200 <= status < 300 and request.method in ("INVITE", "UPDATE", "REFER"):
            response.set("Contact", self.contact)
            response.set("Allow", self.ua.allow)
        if 200 <= status < 300 and request.method in ("INVITE", "UPDATE"):
            self._agree_timer(request, response, now)
        response.put(body)
        if 200 <= status < 300 and request.method in ("INVITE", "UPDATE"):
            self._told = body or self._told
            self.dialog = self.dialog and self.dialog._replace(contact=self.contact)
        wire = transaction.respond(response, now)
        if 200 <= status < 300 and request.method == "INVITE":
            self._await_ack(request.cseq.sequence, Send(transaction.flow, wire), now)

    def acknowledge(self, body: Body | None, now: float) -> None:
        """Send the ACK to the 2xx of our INVITE, with the answer where the 2xx had the offer."""
        if self.dialog is None or self.state in (LegState.ENDING, LegState.ENDED):
            return
        if self.state is LegState.ANSWERED:
            self.come_up(now)
        self._told = body or self._told
        self._send_ack(self.dialog, self._invite_seq, body)

    def come_up(self, now: float) -> None:
        """Note that the dialog is confirmed on both sides; from now on the peer is looked after."""
        self.state = LegState.UP
        self.lookout.begin(now)
        self._rearm()

    def look_soon(self, now: float) -> None:
        """See before long whether the peer is still there, after a restart."""
        self.lookout.begin_soon(now)
        self._rearm()

    def hang_up(self, reason: str | None, now: float) -> None:
        """End the leg in whatever way its state asks for; `reason` is a Reason header's value."""
        self._reason = reason
        if self.state is LegState.UP:
            self._bye(now)

    def follow(self, flow: Flow, now: float) -> None:
        """Reach the phone by the flow that it speaks from now; nothing changes where the flow is not the phone's."""
        if not self.pinned or self.dialog is None or flow == self.dialog.flow or self.state is LegState.ENDED:
            return
        self.flow = flow
        self.dialog = self.dialog.moved(flow)
        if self.state is LegState.ENDING and self._bye_wanted:
            self._bye(now)
        else:
            self._say(Moved(self))

    def heard_by(self, flow: Flow, now: float) -> None:
        """Take note of the flow by which the phone has said something inside the dialog.

        Another connection is only remembered: what is too long for a datagram comes by one, and it may be gone soon.
        """
        if not self.pinned:
            return
        if not self.flow.reliable and not flow.reliable:
            self.follow(flow, now)
        elif flow != self.flow:
            self._heard = flow

    # -- what the layer tells it ---------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response to a request inside the dialog."""
        context, body = transaction.context
        if response.code < 200:
            return
        method = transaction.method
        if method == "INVITE" and 200 <= response.code < 300 and response.cseq.sequence == self._invite_seq:
            self._repeat_ack(response)
            return
        if self._try_again(transaction, response, context, body, now):
            return
        if transaction is self._asked:
            self._asked = None
        if method == "BYE":
            self._end()
            self.owner = None  # nothing more will be said to it
            return
        if context is _LOOK:
            self._on_look(method, response, now)
            return
        if response.code == 491 and method == "INVITE" and self._waits(body, context, now):
            return
        if 200 <= response.code < 300 and method in ("INVITE", "UPDATE") and self.dialog:
            self.dialog = self.dialog.refresh(response)._replace(contact=self.contact)
            self._invite_seq = response.cseq.sequence if method == "INVITE" else self._invite_seq
            self._told = body or self._told
        if self.state is LegState.ENDING or self.state is LegState.ENDED:
            if method == "INVITE" and 200 <= response.code < 300 and self.dialog:
                self._send_ack(self.dialog, response.cseq.sequence, None)
            return
        self._say(Replied(self, context, response.code, response.phrase, response.description, method))
        if response.code in (408, 481) and method in ("INVITE", "UPDATE"):
            self._gone(f"answered {response.code} {response.phrase}", now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of a request inside the dialog: no answer (408) or no transport (503)."""
        if transaction is self._asked:
            self._asked = None
        unconnected = status == 503 and self.pinned and transaction.flow.reliable
        if transaction.method == "BYE" and unconnected:
            self._await_return(transaction.flow, now)
            return
        if transaction.method == "BYE" or self.state in (LegState.ENDING, LegState.ENDED):
            self._end()
            return
        context, _ = transaction.context
        if context is _LOOK:
            self._lost(transaction.method, status, now)
            return
        self._say(Replied(self, context, status, "no answer", None, transaction.method))
        if transaction.method in ("INVITE", "UPDATE") and not unconnected:
            self._gone("no longer answers", now)

    def on_request(self, transaction: ServerTransaction | None, request: Request, now: float) -> None:
        """Take a request inside the dialog."""
        if request.method == "ACK":
            self._on_ack(request, now)
            return
        assert transaction is not None
        if self.dialog is not None:
            following = self.dialog.accept(request)
            if following is None:
                self._refuse(transaction, request, 500, now)
                return
            self.dialog = following
        if request.method == "BYE":
            self._on_bye(transaction, request, now)
        elif self.state in (LegState.TRYING, LegState.RINGING):
            self._on_early(transaction, request, now)
        elif self.state not in (LegState.ANSWERED, LegState.UP):
            self._refuse(transaction, request, 481, now)
        elif request.method in ("INVITE", "UPDATE"):
            self._on_offer(transaction, request, now)
        elif request.method in ("INFO", "MESSAGE", "REFER"):
            self._owed += ((transaction, request),)
            self._say(Requested(self, transaction, request))
        else:
            self.ua.answer_plainly(transaction, request, now)

    def _on_early(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Answer what comes before the INVITE has its answer: not now, but the dialog is there (RFC 3311 §5.2)."""
        plain = request.method == "UPDATE" and request.description is None
        response = response_to(request, 200 if plain else 491 if self.owns_call_id else 500)
        if plain:
            response.set("Contact", self.contact)
        elif response.code == 500:
            response.set("Retry-After", "5")
        transaction.respond(response, now)

    def _on_offer(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        agreed(request)  # raises where its answer could not be made, later
        if self._asked is not None or (request.method == "INVITE" and self._unacknowledged is not None):
            self._refuse(transaction, request, 491, now)
        elif self._asking is not None:
            response = response_to(request, 500)
            response.set("Retry-After", "2")
            transaction.respond(response, now)
        else:
            assert self.dialog is not None
            self.dialog = self.dialog.refresh(request)
            self._asking = transaction
            self._owed += ((transaction, request),)
            transaction.user = self
            if request.method == "INVITE":
                transaction.respond(response_to(request, 100), now)
            self._say(Requested(self, transaction, request))

    def _on_bye(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        transaction.respond(response_to(request, 200), now)
        self._settle_debts(now)
        was_over = self.over
        self._end()
        if not was_over:
            self._say(Ended(self, "hung up", request.get("Reason")))

    def _on_ack(self, ack: Request, now: float) -> None:
        waiting = self._unacknowledged
        if waiting is None or waiting.seq != ack.cseq.sequence:
            return
        self._unacknowledged = None
        if self.state is LegState.ANSWERED:
            self.come_up(now)
        self._rearm()
        if self._bye_wanted:
            self._bye(now)
            return
        self._say(Acknowledged(self, ack.description))

    def on_cancel(self, reason: str | None, now: float) -> None:
        """Take the CANCEL of a re-INVITE: it is refused with 487, the dialog stays (§9.2)."""
        for transaction, request in self._owed:
            if transaction is self._asking:
                self.respond(transaction, request, 487, None, now)

    def _settle_debts(self, now: float) -> None:
        """Answer what the call will not answer any more, because the dialog ends (§15.1.2)."""
        for transaction, request in self._owed:
            self.respond(transaction, request, 487, None, now)

    # -- inside ------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Send the 2xx again, let a session timer run out, or see whether the peer is still there."""
        if self.state is LegState.ENDING:  # who was to be hung up has not returned
            self._end()
            return
        if self._unacknowledged is not None:
            self._repeat_success(self._unacknowledged, now)
        if self.lookout.expired(now):
            self._gone("did not refresh its session", now)
        elif self._again is not None and self._again.at <= now:
            self._ask_again(self._again, now)
        elif self.lookout.looks(now) and self.state is LegState.UP and self._asked is None and self._asking is None:
            self._look(now)
        self._rearm()

    def _look(self, now: float) -> None:
        """Ask whether the peer is still there; where we are to refresh its session that is done with it (RFC 4028)."""
        method = self.lookout.method
        if method != "INVITE":
            self._send(method, None, _LOOK, now)
        elif self._unacknowledged is None and self._told is not None:
            self._asked = self._send(method, self._told, _LOOK, now)

    def _repeat_success(self, waiting: Unacknowledged, now: float) -> None:
        """Send the 2xx again; without an ACK in 32 s, hang up (§13.3.1.4)."""
        if waiting.given_up(now):
            self._unacknowledged = None
            self._gone("never acknowledged the answer", now)
        elif waiting.repeats(now):
            self.ua.layer.outbox.append(waiting.send)

    def _rearm(self) -> None:
        """Set the deadline to the soonest of what this leg waits for."""
        due, waiting = self.lookout.due, self._unacknowledged
        if waiting is not None:
            due = waiting.due if due is None else min(due, waiting.due)
        if self._again is not None:
            due = self._again.at if due is None else min(due, self._again.at)
        self.ua.agenda.arm(self, due)

    def _await_ack(self, seq: int, send: Send, now: float) -> None:
        self._unacknowledged = Unacknowledged(seq, send, now)
        self._rearm()

    def _agree_timer(self, request: Request, response: Response, now: float) -> None:
        if self.lookout.agree(request, response, now):
            self._rearm()

    def _on_look(self, method: str, response: Response, now: float) -> None:
        """Take the answer to a look, or to a NOTIFY."""
        if method == "INVITE" and 200 <= response.code < 300 and self.dialog is not None:
            self._invite_seq = response.cseq.sequence
            self._send_ack(self.dialog, self._invite_seq, None)
        if method != "NOTIFY" and response.code == 422:
            self.lookout.refresh_less_often(response, now)
            self._rearm()
        self._lost(method, response.code, now)

    def _lost(self, method: str, status: int, now: float) -> None:
        if self.lookout.lost(method, status):
            self._gone("no longer answers", now)

    def _repeat_ack(self, response: Response) -> None:
        """Acknowledge a repeated 2xx with the same ACK (§13.2.2.4); where there is none yet, the call still owes it."""
        if self._ack is not None and self._ack_seq == response.cseq.sequence:
            self.ua.layer.outbox.append(self._ack)

    def _send_ack(self, dialog: Dialog, seq: int, body: Body | None) -> None:
        _, ack = dialog.request("ACK", seq=seq)
        ack.put(body)
        self._ack, self._ack_seq = self.ua.layer.send_ack(ack, dialog.flow), seq

    def _try_again(
        self, transaction: ClientTransaction, response: Response, context: Any, body: Body | None, now: float
    ) -> bool:
        if self.dialog is None or self.state is LegState.ENDED:
            return False
        credentials = self._credentials(transaction, response)
        if credentials is None:
            return False
        again = self._send(transaction.method, body, context, now, credentials)
        if transaction is self._asked:
            self._asked = again
        return True

    def _credentials(self, transaction: ClientTransaction, response: Response) -> tuple[str, str] | None:
        """Return the header to send the request again with, None where that is no use (RFC 3261 §22.2)."""
        request = transaction.request
        if self.authenticator is None or request is None:
            return None
        return self.authenticator.answer(response, request.method, request.uri, request.body)

    def _bye(self, now: float) -> None:
        self._settle_debts(now)
        self.state = LegState.ENDING
        self._bye_wanted = False
        self._wait_for_nothing()
        self._send("BYE", None, None, now)

    def _await_return(self, failed: Flow, now: float) -> None:
        """Hang up by the phone's other connection, or wait for it to make one: it still talks, as far as it knows."""
        assert self.dialog is not None
        self._bye_wanted = True
        heard, self._heard = self._heard, None
        if self.dialog.flow != failed:  # it has returned meanwhile
            self._bye(now)
        elif heard is not None and heard != failed:
            self.follow(heard, now)
        else:
            self.ua.agenda.arm(self, now + RETURNS_WITHIN)

    def _gone(self, why: str, now: float) -> None:
        if not self.over:
            self._bye(now)
            self._say(Ended(self, why))

    def _end(self) -> None:
        self.state = LegState.ENDED
        self._wait_for_nothing()
        self.ua.drop(self)

    def _wait_for_nothing(self) -> None:
        self._unacknowledged = self._again = None
        self.lookout.stop()
        self.ua.agenda.arm(self, None)

    @staticmethod
    def _refuse(transaction: ServerTransaction, request: Request, status: int, now: float) -> None:
        transaction.respond(response_to(request, status), now)

    def _say(self, event: LegEvent) -> None:
        self.ua.events.append(event)
