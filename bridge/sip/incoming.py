"""The incoming leg: a caller's INVITE, from its 100 to the ACK of our 2xx (RFC 3261 §13.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.sip.dialog import dialog_as_callee
from bridge.sip.flow import Flow, Send
from bridge.sip.leg import Leg, LegState
from bridge.sip.legevents import Ended
from bridge.sip.message import Body, Request, response_to
from bridge.sip.transaction import T1, TIMEOUT, ServerTransaction

if TYPE_CHECKING:
    from bridge.sip.useragent import UserAgent

AGAIN = "10"  # seconds until what we have too little of may be there
REMIND = 60.0  # a ringing caller's 180 is repeated each minute (§13.3.1.1)


class Unpracked:
    """A provisional response that goes out again until its PRACK comes (RFC 3262 §3)."""

    __slots__ = ("again", "expires", "interval", "rseq", "send")

    def __init__(self, rseq: int, send: Send, now: float) -> None:
        self.rseq = rseq
        self.send = send
        self.interval = T1
        self.again = now + T1
        self.expires = now + TIMEOUT


class IncomingLeg(Leg):
    """A leg that a caller asks for (UAS)."""

    __slots__ = ("_reliably", "_rseq", "_transaction", "_unpracked", "invite", "offer", "remote_tag")

    def __init__(
        self, ua: UserAgent, request: Request, transaction: ServerTransaction, flow: Flow, contact: str, pinned: bool
    ) -> None:
        super().__init__(ua, request.call_id, ua.token(), flow, contact, pinned)
        self.invite: Request | None = request
        self.offer = request.description
        self.remote_tag = request.from_tag or ""
        self._transaction: ServerTransaction | None = transaction
        self._reliably = "100rel" in request.tokens("Require")
        self._rseq = 0
        self._unpracked: Unpracked | None = None
        transaction.user = self

    @property
    def owns_call_id(self) -> bool:
        """Not ours: the caller's."""
        return False

    @property
    def ringing(self) -> bool:
        """Whether the caller has been told that it rings."""
        return self.state is LegState.RINGING

    @property
    def early(self) -> tuple[Request, Flow] | None:
        """The INVITE that is still to be answered finally, and the way back; None where it is."""
        if self.invite is None or self._transaction is None:
            return None
        return self.invite, self._transaction.flow

    def ring(self, now: float, status: int = 180) -> None:
        """Say 180 (or another provisional), and again each minute until there is a final response."""
        if self.state in (LegState.TRYING, LegState.RINGING):
            self.state = LegState.RINGING
            if self._reliably and self._unpracked is None:
                self._ring_reliably(status, now)
            elif not self._reliably:
                self._respond(status, None, now)
                self.ua.agenda.arm(self, now + REMIND)

    def _ring_reliably(self, status: int, now: float) -> None:
        """Say a provisional that the caller has to acknowledge, because it demands so (RFC 3262 §3)."""
        self._rseq += 1
        headers = {"Require": "100rel", "RSeq": str(self._rseq)}
        send = self._respond(status, None, now, extra=headers)
        self._unpracked = Unpracked(self._rseq, send, now)
        self.ua.agenda.arm(self, self._unpracked.again)

    def _ring_again(self, waiting: Unpracked, now: float) -> None:
        if now >= waiting.expires:
            self.reject(504, now, "No PRACK")
            self._say(Ended(self, "never acknowledged the ringing"))
            return
        self.ua.layer.outbox.append(waiting.send)
        waiting.interval *= 2
        waiting.again = now + waiting.interval
        self.ua.agenda.arm(self, min(waiting.again, waiting.expires))

    def on_request(self, transaction: ServerTransaction | None, request: Request, now: float) -> None:
        """Take a request inside the dialog; PRACK also while it is still early."""
        if request.method == "PRACK" and transaction is not None:
            rack = (request.get("RAck") or "").split()
            waiting = self._unpracked
            known = waiting is not None and rack[:1] == [str(waiting.rseq)] and rack[2:] == ["INVITE"]
            transaction.respond(response_to(request, 200 if known else 481), now)
            if known:
                self._unpracked = None
                if self.state is LegState.RINGING:  # else the 200 may still be repeated
                    self.ua.agenda.arm(self, now + REMIND)
        else:
            super().on_request(transaction, request, now)

    def accept(self, body: Body | None, now: float) -> None:
        """Say 200, and again until the ACK comes. Raises `SipError` where the INVITE's Contact is none."""
        if self.state not in (LegState.TRYING, LegState.RINGING) or self.invite is None:
            return
        invite = self.invite
        self.dialog = dialog_as_callee(invite, self.local_tag, self.contact, self.flow, self.pinned)
        self.state = LegState.ANSWERED
        self._told = body
        self.ua.changed = True
        self.lookout.takes_update = "update" in invite.tokens("Allow")
        send = self._respond(200, body, now)
        self.invite = None
        self._transaction = None
        self._await_ack(invite.cseq.sequence, send, now)

    def reject(self, status: int, now: float, phrase: str = "", extra: dict[str, str] | None = None) -> None:
        """Refuse the call with a final response; a 503 says when to come again (§21.5.4)."""
        if self.state in (LegState.TRYING, LegState.RINGING):
            again = {"Retry-After": AGAIN} if status == 503 else {}
            self._respond(status, None, now, phrase, {**again, **(extra or {})})
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
        else:
            super().on_cancel(reason, now)

    def tick(self, now: float) -> None:
        """Remind the caller that it rings, or send the 2xx again."""
        if self.state is LegState.RINGING and self._unpracked is not None:
            self._ring_again(self._unpracked, now)
        elif self.state is LegState.RINGING:
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
            headers["Supported"] = ["replaces, timer"]
        if 200 <= status < 300:
            self._agree_timer(self.invite, response, now)
        headers["Server"] = [self.ua.name]
        for name, value in (extra or {}).items():
            headers[name] = [value]
        response.put(body)
        return Send(self._transaction.flow, self._transaction.respond(response, now))
