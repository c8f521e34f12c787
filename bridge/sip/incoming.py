"""The incoming leg: a caller's INVITE, from its 100 to the ACK of our 2xx (RFC 3261 §13.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.sip.dialog import dialog_as_callee
from bridge.sip.flow import Flow, Send
from bridge.sip.leg import Leg, LegState
from bridge.sip.legevents import Ended
from bridge.sip.message import Body, Request, response_to
from bridge.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from bridge.sip.useragent import UserAgent

REMIND = 60.0  # a ringing caller's 180 is repeated each minute (§13.3.1.1)


class IncomingLeg(Leg):
    """A leg that a caller asks for (UAS)."""

    def __init__(
        self, ua: UserAgent, request: Request, transaction: ServerTransaction, flow: Flow, contact: str, pinned: bool
    ) -> None:
        super().__init__(ua, request.call_id, ua.token(), flow, contact, pinned)
        self.invite: Request | None = request
        self.offer = request.content
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
        self.peer_takes_update = "update" in invite.tokens("Allow")
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
        else:
            super().on_cancel(reason, now)

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
            headers["Supported"] = ["replaces, timer"]
        if 200 <= status < 300:
            self._agree_timer(self.invite, response, now)
        headers["Server"] = [self.ua.name]
        for name, value in (extra or {}).items():
            headers[name] = [value]
        response.put(body)
        return Send(self._transaction.flow, self._transaction.respond(response, now))
