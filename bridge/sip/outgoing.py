"""The outgoing leg: an INVITE of ours, from the first byte to the 2xx and its ACK (RFC 3261 §13.2, §9.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.sip.dialog import dialog_as_caller
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg, LegState
from bridge.sip.legevents import Accepted, Progress, Rejected
from bridge.sip.message import Body, Request, Response
from bridge.sip.transaction import ClientInvite, ClientTransaction, State

if TYPE_CHECKING:
    from bridge.sip.useragent import UserAgent

_MOST_EARLY = 8  # early dialogs of one INVITE that are remembered, beside which nobody can ask for another


FIRST_WORD_WITHIN = 2.0  # seconds; three INVITEs are sent in that time. A hunt waits for 4 s for a phone's first word


def _nobody_told(flow: Flow, now: float) -> None:
    """Take note of nothing."""


class OutgoingLeg(Leg):
    """A leg that we ask for (UAC)."""

    __slots__ = (
        "_cancel_wanted",
        "_invite",
        "_request",
        "cancelled",
        "early_tags",
        "elsewhere",
        "rang",
        "redirected",
        "unanswered",
    )

    def __init__(self, ua: UserAgent, flow: Flow, contact: str, pinned: bool) -> None:
        super().__init__(ua, ua.token(), ua.token(), flow, contact, pinned)
        self._invite: ClientTransaction | None = None
        self._request: Request | None = None
        self._cancel_wanted = False
        self.cancelled = False
        self.early_tags: tuple[str, ...] = ()  # of the peers that have answered provisionally
        self.rang = False
        self.redirected: tuple[str, ...] = ()  # the Contacts of a 3xx
        self.unanswered: Callable[[Flow, float], None] = _nobody_told  # told of an address that says nothing
        self.elsewhere: tuple[Flow, ...] = ()  # further addresses of the same server, to be tried in order

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
        self._ask(request, now)
        self.ua.changed = True

    @property
    def early(self) -> tuple[Request, Flow] | None:
        """The INVITE that is under way, and where to; None where there is none (any more)."""
        if self._request is None or self._invite is None or self._cancel_wanted:
            return None
        return self._request, self._invite.flow

    def take_up(self, request: Request, tag: str, now: float) -> None:
        """Be the leg of an INVITE that was sent before a restart."""
        self.ua.drop(self)
        self.call_id, self.local_tag = request.call_id, tag
        self._request = request
        self._invite = self.ua.layer.take_up(request, self.flow, self)
        self.state = LegState.RINGING
        self.ua.legs[self.call_id, self.local_tag] = self

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
        tag = response.to_tag
        if tag and tag not in self.early_tags and len(self.early_tags) < _MOST_EARLY:
            self.early_tags += (tag,)
        if self._cancel_wanted:
            self._cancel_if_heard(now)
        self._say(Progress(self, response.code, response.content))

    def _on_success(self, response: Response, now: float) -> None:
        if self.dialog is not None:
            if response.to_tag == self.dialog.remote_tag:
                self._repeat_ack(response)
            else:
                self._hang_up_fork(response, now)
            return
        if self._request is None:  # it was given up already
            return
        try:
            self.dialog = dialog_as_caller(self._request, response, self.contact, self.flow, self.pinned)
        except SipError as error:
            self._reject(500, f"its answer cannot be understood: {error}")
            return
        self._invite_seq = response.cseq.sequence
        self.local_tag = self.dialog.local_tag  # one text: a leg outlives its call by half a minute
        self._told = self._request.content
        self._request = None
        self.state = LegState.ANSWERED
        self.ua.changed = True
        self.lookout.takes_update = "update" in response.tokens("Allow")
        self.lookout.take(response, now)
        self._say(Accepted(self, response.description))

    def _hang_up_fork(self, response: Response, now: float) -> None:
        """Acknowledge and end a second dialog that the same INVITE made."""
        assert self.dialog is not None
        asked = {"From": self.dialog.local, "Call-ID": self.dialog.call_id, "CSeq": response.need("CSeq")}
        ours = Request("INVITE", self.dialog.remote_target, {name: [value] for name, value in asked.items()})
        fork = dialog_as_caller(ours, response, self.contact, self.flow, self.pinned)
        _, ack = fork.request("ACK", seq=response.cseq.sequence)
        self.ua.layer.send_ack(ack, fork.flow)
        _, bye = fork.request("BYE")
        self.ua.layer.request(bye, fork.flow, None, now)

    def _on_rejection(self, response: Response, now: float) -> None:
        if self._invite is not None and self._request is not None and not self._cancel_wanted:
            credentials = self._credentials(self._invite, response)
            if credentials is not None:
                self._invite_again(self._request, credentials, now)
                return
        if 300 <= response.code < 400:
            self.redirected = tuple(response.all("Contact"))
        if response.code != 503 or not self._go_elsewhere(now):
            self._reject(response.code, response.phrase)

    def _go_elsewhere(self, now: float) -> bool:
        """Send the INVITE to the server's next address, where the last cannot serve it (RFC 3263 §4.3)."""
        if not self.elsewhere or self._request is None or self._cancel_wanted:
            return False
        self.flow, *elsewhere = self.elsewhere
        self.elsewhere = tuple(elsewhere)
        self._invite_again(self._request, None, now)
        return True

    def _invite_again(self, request: Request, credentials: tuple[str, str] | None, now: float) -> None:
        again = Request("INVITE", request.uri, dict(request.headers), request.body)
        if credentials is not None:
            again.set(*credentials)
        again.set("CSeq", f"{request.cseq.sequence + 1} INVITE")
        self._request = again
        self.state = LegState.TRYING
        self._ask(again, now)

    def _ask(self, request: Request, now: float) -> None:
        """Send the INVITE; where there is another address, this one has little time to say anything."""
        self._invite = self.ua.layer.request(request, self.flow, self, now)
        if self.elsewhere and isinstance(self._invite, ClientInvite):
            self._invite.give_up_at(now + FIRST_WORD_WITHIN)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of the INVITE (408, 503) or of a request inside the dialog."""
        if transaction is self._invite:
            self.unanswered(self.flow, now)
            if self._go_elsewhere(now):
                return
        if transaction is self._invite:
            self._reject(status, "no answer" if status == 408 else "not deliverable")
        else:
            super().on_failure(transaction, status, now)

    def _end(self) -> None:
        super()._end()
        self.early_tags = ()

    def _reject(self, status: int, phrase: str) -> None:
        if self.state in (LegState.TRYING, LegState.RINGING):
            self._end()
            self._request = None
            self._say(Rejected(self, status, phrase))
