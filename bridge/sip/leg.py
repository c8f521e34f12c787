"""A leg: our half of one INVITE dialog, from the INVITE to the last ACK.

An `OutgoingLeg` asks a phone (UAC), an `IncomingLeg` is asked by a caller (UAS); once both sides have the 2xx they
behave alike (`Leg`): re-INVITE, UPDATE, INFO and BYE either way. A leg is told what to do by plain calls, which end in
the transaction layer, and says what has happened by queueing an event in `events` (below); it never calls its owner.

Three things that are easily got wrong, and where they are done here:
- *Cancel is a remembered intention* (RFC 3261 §9.1): `cancel` before the first provisional response waits for it.
- A 2xx that crosses the CANCEL, or comes from a second fork, is acknowledged and hung up (§13.2.2.4).
- BYE by the callee waits for the caller's ACK (§15); a 2xx goes out again until that ACK comes (§13.3.1.4).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.sip.dialog import Dialog, dialog_as_callee, dialog_as_caller
from bridge.sip.flow import Flow, Send
from bridge.sip.message import Body, Request, Response, SipError, response_to
from bridge.sip.transaction import T1, T2, TIMEOUT, ClientTransaction, ServerTransaction, State

if TYPE_CHECKING:
    from bridge.sip.digest import Authenticator
    from bridge.sip.useragent import UserAgent

REMIND = 60.0  # a ringing caller's 180 is repeated each minute (§13.3.1.1)


class LegState(Enum):
    """Where a leg stands."""

    TRYING = "trying"  # INVITE sent, nothing heard; or INVITE received, nothing but 100 sent
    RINGING = "ringing"  # a provisional response was heard or sent
    ANSWERED = "answered"  # 2xx heard or sent, ACK outstanding
    UP = "up"
    ENDING = "ending"  # BYE or CANCEL sent, its outcome outstanding
    ENDED = "ended"


# -- what a leg says ------------------------------------------------------------------------------------------------


class Progress(NamedTuple):
    """Outgoing: a provisional response."""

    leg: Leg
    code: int
    body: Body | None


class Accepted(NamedTuple):
    """Outgoing: the first 2xx. `acknowledge` is now due, or `hang_up`."""

    leg: Leg
    body: Body | None


class Rejected(NamedTuple):
    """Outgoing: the INVITE failed; 408 and 503 also stand for no answer and no transport."""

    leg: Leg
    status: int
    phrase: str


class Acknowledged(NamedTuple):
    """The ACK to a 2xx of ours came."""

    leg: Leg
    body: Body | None


class Requested(NamedTuple):
    """The peer asks something inside the dialog (INVITE, UPDATE, INFO, ...); to be answered by `respond`."""

    leg: Leg
    transaction: ServerTransaction
    request: Request


class Replied(NamedTuple):
    """A request of ours inside the dialog was answered, `context` being what was given with it."""

    leg: Leg
    context: Any
    status: int
    phrase: str
    body: Body | None
    method: str


class Ended(NamedTuple):
    """The peer is gone: BYE, CANCEL, or it no longer answers. `reason` is a Reason header's value, if it sent one."""

    leg: Leg
    why: str
    reason: str | None = None


LegEvent = Progress | Accepted | Rejected | Acknowledged | Requested | Replied | Ended


class _Unacknowledged:
    """A 2xx of ours that goes out again until its ACK comes."""

    __slots__ = ("again", "expires", "interval", "seq", "send")

    def __init__(self, seq: int, send: Send, now: float) -> None:
        self.seq = seq
        self.send = send
        self.interval = T1
        self.again = now + T1
        self.expires = now + TIMEOUT


class Leg:
    """What both kinds of leg share: the confirmed dialog."""

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
        self._unacknowledged: _Unacknowledged | None = None
        self._asking: ServerTransaction | None = None  # the peer's INVITE or UPDATE, not answered yet
        self._asked: ClientTransaction | None = None  # ours, not answered yet
        self._bye_wanted = False
        self._reason: str | None = None
        self._invite_seq = 0  # of our INVITE that awaits its ACK
        self._ack: tuple[int, Send] | None = None  # the last ACK to a 2xx, to be sent again
        self.authenticator: Authenticator | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more can be done with it."""
        return self.state in (LegState.ENDING, LegState.ENDED)

    # -- what a leg can be told --------------------------------------------------------------------------------

    def request(self, method: str, body: Body | None, context: Any, now: float) -> bool:
        """Send a request inside the dialog; False where that cannot be now (no dialog, or an offer is open: 491)."""
        if self.state is not LegState.UP or self.dialog is None:
            return False
        if method in ("INVITE", "UPDATE") and (self._asked or self._asking or self._unacknowledged):
            return False
        transaction = self._send(method, body, context, now)
        if method in ("INVITE", "UPDATE"):
            self._asked = transaction
        return True

    def _send(self, method: str, body: Body | None, context: Any, now: float) -> ClientTransaction:
        assert self.dialog is not None
        self.dialog, request = self.dialog.request(method)
        if method in ("INVITE", "UPDATE"):
            request.set("Contact", self.contact)
            request.set("Allow", self.ua.allow)
        if method == "BYE" and self._reason:
            request.set("Reason", self._reason)
        request.put(body)
        if self.authenticator is not None:
            self.authenticator.authorize(request)
        return self.ua.layer.request(request, self.dialog.flow, self, now, (context, body))

    def respond(
        self, transaction: ServerTransaction, request: Request, status: int, body: Body | None, now: float
    ) -> None:
        """Answer a `Requested`; a 2xx to an INVITE is repeated until its ACK."""
        if self._asking is transaction and status >= 200:
            self._asking = None
        response = response_to(request, status)
        if 200 <= status < 300 and request.method in ("INVITE", "UPDATE"):
            response.set("Contact", self.contact)
            response.set("Allow", self.ua.allow)
        response.put(body)
        wire = transaction.respond(response, now)
        if 200 <= status < 300 and request.method == "INVITE":
            self._await_ack(request.cseq.sequence, Send(transaction.flow, wire), now)

    def acknowledge(self, body: Body | None, now: float) -> None:
        """Send the ACK to the 2xx of our INVITE, with the answer where the 2xx had the offer."""
        if self.dialog is None or self.state in (LegState.ENDING, LegState.ENDED):
            return
        if self.state is LegState.ANSWERED:
            self.state = LegState.UP
        self._send_ack(self.dialog, self._invite_seq, body)

    def hang_up(self, reason: str | None, now: float) -> None:
        """End the leg in whatever way its state asks for; `reason` is a Reason header's value."""
        self._reason = reason
        if self.state is LegState.UP:
            self._bye(now)

    # -- what the layer tells it ---------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response to a request inside the dialog."""
        context, body = transaction.context
        if response.code < 200:
            return
        method = transaction.method
        if method == "INVITE" and 200 <= response.code < 300 and self._repeated(response):
            return
        if self._try_again(transaction, response, context, body, now):
            return
        if transaction is self._asked:
            self._asked = None
        if method == "BYE":
            self._end()
            return
        if 200 <= response.code < 300 and method in ("INVITE", "UPDATE") and self.dialog:
            self.dialog = self.dialog.refresh(response)
            self._invite_seq = response.cseq.sequence if method == "INVITE" else self._invite_seq
        if self.state is LegState.ENDING or self.state is LegState.ENDED:
            if method == "INVITE" and 200 <= response.code < 300 and self.dialog:
                self._send_ack(self.dialog, response.cseq.sequence, None)
            return
        self._say(Replied(self, context, response.code, response.phrase, response.content, method))
        if response.code in (408, 481) and method in ("INVITE", "UPDATE"):
            self._gone(f"answered {response.code} {response.phrase}", now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of a request inside the dialog: no answer (408) or no transport (503)."""
        if transaction is self._asked:
            self._asked = None
        if transaction.method == "BYE" or self.state in (LegState.ENDING, LegState.ENDED):
            self._end()
            return
        context, _ = transaction.context
        self._say(Replied(self, context, status, "no answer", None, transaction.method))
        if transaction.method in ("INVITE", "UPDATE"):
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
        elif self.state not in (LegState.ANSWERED, LegState.UP):
            self._refuse(transaction, request, 481, now)
        elif request.method in ("INVITE", "UPDATE"):
            self._on_offer(transaction, request, now)
        elif request.method in ("INFO", "MESSAGE"):
            self._say(Requested(self, transaction, request))
        else:
            self.ua.answer_plainly(transaction, request, now)

    def _on_offer(self, transaction: ServerTransaction, request: Request, now: float) -> None:
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
            transaction.user = self
            if request.method == "INVITE":
                transaction.respond(response_to(request, 100), now)
            self._say(Requested(self, transaction, request))

    def _on_bye(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        transaction.respond(response_to(request, 200), now)
        was_over = self.over
        self._end()
        if not was_over:
            self._say(Ended(self, "hung up", request.get("Reason")))

    def _on_ack(self, ack: Request, now: float) -> None:
        waiting = self._unacknowledged
        if waiting is None or waiting.seq != ack.cseq.sequence:
            return
        self._unacknowledged = None
        self.ua.agenda.arm(self, None)
        if self.state is LegState.ANSWERED:
            self.state = LegState.UP
        if self._bye_wanted:
            self._bye(now)
            return
        self._say(Acknowledged(self, ack.content))

    def on_cancel(self, reason: str | None, now: float) -> None:
        """Take the CANCEL of a re-INVITE: it is refused with 487, the dialog stays (§9.2)."""

    # -- inside ------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Send the 2xx again; without an ACK in 32 s, hang up (§13.3.1.4)."""
        waiting = self._unacknowledged
        if waiting is None:
            return
        if now >= waiting.expires:
            self._unacknowledged = None
            self._gone("never acknowledged the answer", now)
            return
        self.ua.layer.outbox.append(waiting.send)
        waiting.interval = min(waiting.interval * 2, T2)
        waiting.again = now + waiting.interval
        self.ua.agenda.arm(self, min(waiting.again, waiting.expires))

    def _await_ack(self, seq: int, send: Send, now: float) -> None:
        self._unacknowledged = _Unacknowledged(seq, send, now)
        self.ua.agenda.arm(self, now + T1)

    def _repeated(self, response: Response) -> bool:
        if self._ack is not None and self._ack[0] == response.cseq.sequence:
            self.ua.layer.outbox.append(self._ack[1])
            return True
        return False

    def _send_ack(self, dialog: Dialog, seq: int, body: Body | None) -> None:
        _, ack = dialog.request("ACK", seq=seq)
        ack.put(body)
        self._ack = (seq, self.ua.layer.send_ack(ack, dialog.flow))

    def _try_again(
        self, transaction: ClientTransaction, response: Response, context: Any, body: Body | None, now: float
    ) -> bool:
        if self.dialog is None or self.state is LegState.ENDED or not self._worth_another(transaction, response):
            return False
        again = self._send(transaction.method, body, context, now)
        if transaction is self._asked:
            self._asked = again
        return True

    def _worth_another(self, transaction: ClientTransaction, response: Response) -> bool:
        """Tell whether the request is to be sent again with credentials."""
        authenticator, request = self.authenticator, transaction.request
        return authenticator is not None and request is not None and authenticator.again(request, response)

    def _bye(self, now: float) -> None:
        self.state = LegState.ENDING
        self._unacknowledged = None
        self.ua.agenda.arm(self, None)
        self._send("BYE", None, None, now)

    def _gone(self, why: str, now: float) -> None:
        if not self.over:
            self._bye(now)
            self._say(Ended(self, why))

    def _end(self) -> None:
        self.state = LegState.ENDED
        self._unacknowledged = None
        self.ua.agenda.arm(self, None)
        self.ua.drop(self)

    @staticmethod
    def _refuse(transaction: ServerTransaction, request: Request, status: int, now: float) -> None:
        transaction.respond(response_to(request, status), now)

    def _say(self, event: LegEvent) -> None:
        self.ua.events.append(event)


class OutgoingLeg(Leg):
    """A leg that we ask for (UAC)."""

    def __init__(self, ua: UserAgent, flow: Flow, contact: str, pinned: bool) -> None:
        super().__init__(ua, ua.token(), ua.token(), flow, contact, pinned)
        self._invite: ClientTransaction | None = None
        self._request: Request | None = None
        self._cancel_wanted = False
        self.cancelled = False
        self.rang = False

    def invite(self, uri: str, from_: str, to: str, body: Body | None, extra: dict[str, str], now: float) -> None:
        """Send the INVITE. `from_` and `to` are name-addr values without tags; `extra` further headers."""
        headers: dict[str, list[str]] = {
            "Via": [],
            "Max-Forwards": ["70"],
            "From": [f"{from_};tag={self.local_tag}"],
            "To": [to],
            "Call-ID": [self.call_id],
            "CSeq": ["1 INVITE"],
            "Contact": [self.contact],
            "Allow": [self.ua.allow],
            "Supported": ["replaces"],
            "User-Agent": [self.ua.name],
        }
        for name, value in extra.items():
            headers[name] = [value]
        request = Request("INVITE", uri, headers)
        request.put(body)
        if self.authenticator is not None:
            self.authenticator.authorize(request)
        self._request = request
        self._invite = self.ua.layer.request(request, self.flow, self, now)

    def cancel(self, reason: str | None, now: float) -> None:
        """Cancel the INVITE, now or as soon as a provisional response has come."""
        if self.state not in (LegState.TRYING, LegState.RINGING):
            return
        self._reason = reason
        self._cancel_wanted = True
        self._cancel_if_heard(now)

    def hang_up(self, reason: str | None, now: float) -> None:
        """End the leg: CANCEL, or ACK and BYE, or BYE."""
        if self.state is LegState.ANSWERED:
            self.acknowledge(None, now)
        if self.state in (LegState.TRYING, LegState.RINGING):
            self.cancel(reason, now)
        else:
            super().hang_up(reason, now)

    def _cancel_if_heard(self, now: float) -> None:
        if self._invite is not None and self._invite.state is State.PROCEEDING and not self.cancelled:
            self.cancelled = True
            self.ua.layer.cancel(self._invite, self._reason, now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response to the INVITE, or to a request inside the dialog."""
        if transaction is not self._invite:
            super().on_response(transaction, response, now)
        elif response.code < 200:
            self._on_provisional(response, now)
        elif response.code < 300:
            self._on_success(response, now)
        else:
            self._on_rejection(response, now)

    def _on_provisional(self, response: Response, now: float) -> None:
        if self.state is LegState.TRYING:
            self.state = LegState.RINGING
        if self._cancel_wanted:
            self._cancel_if_heard(now)
        self._say(Progress(self, response.code, response.content))

    def _on_success(self, response: Response, now: float) -> None:
        if self.dialog is not None:
            if response.to_tag == self.dialog.remote_tag:
                self._repeated(response)
            else:
                self._hang_up_fork(response, now)
            return
        assert self._request is not None
        try:
            self.dialog = dialog_as_caller(self._request, response, self.contact, self.flow, self.pinned)
        except SipError as error:
            self._reject(500, f"its answer cannot be understood: {error}")
            return
        self._invite_seq = response.cseq.sequence
        self._request = None
        self.state = LegState.ANSWERED
        self._say(Accepted(self, response.content))

    def _hang_up_fork(self, response: Response, now: float) -> None:
        """Acknowledge and end a second dialog that the same INVITE made."""
        assert self.dialog is not None
        ours = Request(
            "INVITE", self.dialog.remote_target, {"From": [self.dialog.local], "CSeq": [response.need("CSeq")]}
        )
        fork = dialog_as_caller(ours, response, self.contact, self.flow, self.pinned)
        _, ack = fork.request("ACK", seq=response.cseq.sequence)
        self.ua.layer.send_ack(ack, fork.flow)
        _, bye = fork.request("BYE")
        self.ua.layer.request(bye, fork.flow, None, now)

    def _on_rejection(self, response: Response, now: float) -> None:
        if (
            not self._cancel_wanted
            and self._request is not None
            and self._invite is not None
            and self._worth_another(self._invite, response)
        ):
            self._invite_again(self._request, now)
            return
        self._reject(response.code, response.phrase)

    def _invite_again(self, request: Request, now: float) -> None:
        again = Request("INVITE", request.uri, dict(request.headers), request.body)
        again.set("CSeq", f"{request.cseq.sequence + 1} INVITE")
        assert self.authenticator is not None
        self.authenticator.authorize(again)
        self._request = again
        self.state = LegState.TRYING
        self._invite = self.ua.layer.request(again, self.flow, self, now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of the INVITE (408, 503) or of a request inside the dialog."""
        if transaction is self._invite:
            self._reject(status, "no answer" if status == 408 else "not deliverable")
        else:
            super().on_failure(transaction, status, now)

    def _reject(self, status: int, phrase: str) -> None:
        if self.state in (LegState.TRYING, LegState.RINGING):
            self._end()
            self._request = None
            self._say(Rejected(self, status, phrase))


class IncomingLeg(Leg):
    """A leg that a caller asks for (UAS)."""

    def __init__(
        self, ua: UserAgent, request: Request, transaction: ServerTransaction, flow: Flow, contact: str, pinned: bool
    ) -> None:
        super().__init__(ua, request.call_id, ua.token(), flow, contact, pinned)
        self.invite: Request | None = request
        self.remote_tag = request.from_tag or ""
        self._transaction: ServerTransaction | None = transaction
        transaction.user = self

    @property
    def ringing(self) -> bool:
        """Whether the caller has been told that it rings."""
        return self.state is LegState.RINGING

    def ring(self, now: float, status: int = 180) -> None:
        """Say 180 (or another provisional), and again each minute until there is a final response."""
        if self.state in (LegState.TRYING, LegState.RINGING):
            self.state = LegState.RINGING
            self._respond(status, None, now)
            self.ua.agenda.arm(self, now + REMIND)

    def accept(self, body: Body | None, now: float) -> None:
        """Say 200, and again until the ACK comes. Raises `SipError` where the INVITE's Contact is none."""
        if self.state not in (LegState.TRYING, LegState.RINGING) or self.invite is None:
            return
        invite = self.invite
        self.dialog = dialog_as_callee(invite, self.local_tag, self.contact, self.flow, self.pinned)
        self.state = LegState.ANSWERED
        send = self._respond(200, body, now)
        self.invite = None
        self._transaction = None
        self._await_ack(invite.cseq.sequence, send, now)

    def reject(self, status: int, now: float, phrase: str = "", extra: dict[str, str] | None = None) -> None:
        """Refuse the call with a final response."""
        if self.state in (LegState.TRYING, LegState.RINGING):
            self._respond(status, None, now, phrase, extra)
            self._end()

    def hang_up(self, reason: str | None, now: float) -> None:
        """End the leg: refuse it, or BYE as soon as the ACK is there."""
        if self.state is LegState.ANSWERED:
            self._bye_wanted = True
            self._reason = reason
        elif self.state in (LegState.TRYING, LegState.RINGING):
            self.reject(480, now)
        else:
            super().hang_up(reason, now)

    def on_cancel(self, reason: str | None, now: float) -> None:
        """Take the caller's CANCEL: 487 to the INVITE (§9.2)."""
        if self.state in (LegState.TRYING, LegState.RINGING):
            self._respond(487, None, now)
            self._end()
            self._say(Ended(self, "cancelled", reason))

    def tick(self, now: float) -> None:
        """Remind the caller that it rings, or send the 2xx again."""
        if self.state is LegState.RINGING:
            self.ring(now)
        else:
            super().tick(now)

    def _on_bye(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        if self.state in (LegState.TRYING, LegState.RINGING):  # a caller may end an early dialog so (§15.1.1)
            transaction.respond(response_to(request, 200), now)
            self.on_cancel(request.get("Reason"), now)
        else:
            super()._on_bye(transaction, request, now)

    def _respond(
        self, status: int, body: Body | None, now: float, phrase: str = "", extra: dict[str, str] | None = None
    ) -> Send:
        assert self.invite is not None and self._transaction is not None
        response = response_to(self.invite, status, phrase, self.local_tag)
        headers = response.headers
        if status < 300:
            if "Record-Route" in self.invite.headers:
                headers["Record-Route"] = list(self.invite.headers["Record-Route"])
            headers["Contact"] = [self.contact]
            headers["Allow"] = [self.ua.allow]
            headers["Supported"] = ["replaces"]
        headers["Server"] = [self.ua.name]
        for name, value in (extra or {}).items():
            headers[name] = [value]
        response.put(body)
        return Send(self._transaction.flow, self._transaction.respond(response, now))
