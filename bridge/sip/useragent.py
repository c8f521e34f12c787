"""The user agent core (RFC 3261 §8, §12.2.2): from bytes to legs and events, sans-IO.

What arrives is parsed, given to its transaction, then to the leg of its dialog; what belongs to no dialog is checked
(§8.2) and queued in `events` for the exchange to decide. Nothing that the network sends raises here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from bridge.sip.agenda import Agenda
from bridge.sip.dialog import Dialog, dialog_as_callee
from bridge.sip.flow import Flow, Locate, Send
from bridge.sip.grammar import SipError, parse_uri
from bridge.sip.incoming import IncomingLeg
from bridge.sip.layer import Cancelled, Happened, RequestIn, ResponseIn, TransactionLayer
from bridge.sip.leg import Leg
from bridge.sip.legevents import LegEvent
from bridge.sip.message import Request, parse_message, response_to
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.session_timer import LEAST, too_brief
from bridge.sip.transaction import ServerTransaction

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REGISTER"
KNOWN = frozenset((*ALLOW.split(", "), "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER"))
EXTENSIONS = frozenset({"replaces", "timer"})


class Invited(NamedTuple):
    """A call comes in, its INVITE checked; `take` it, or `answer` it where it is refused or to be proven first."""

    request: Request
    transaction: ServerTransaction
    flow: Flow


class Registering(NamedTuple):
    """A phone registers; `answer` with what the registrar says."""

    request: Request
    transaction: ServerTransaction
    flow: Flow


class Strange(NamedTuple):
    """Something came that cannot be taken; for the log."""

    flow: Flow
    text: str


AgentEvent = LegEvent | Invited | Registering | Strange


class UserAgent:
    """All dialogs of one agent. `name` goes into User-Agent and Server; `token` gives 64 random bits or more."""

    allow = ALLOW

    def __init__(self, name: str, agenda: Agenda, locate: Locate, token: Callable[[], str]) -> None:
        self.name = name
        self.agenda = agenda
        self.token = token
        self.locate = locate
        self.layer = TransactionLayer(agenda, locate, token)
        self.events: deque[AgentEvent] = deque()
        self.legs: dict[tuple[str, str], Leg] = {}
        self._incoming: dict[tuple[str, str], IncomingLeg] = {}  # by Call-ID and remote tag

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent."""
        return self.layer.outbox

    # -- downward ---------------------------------------------------------------------------------------------

    def contact(self, user: str, flow: Flow) -> str:
        """Return our Contact value towards a peer."""
        local = self.locate(flow)
        host = f"[{local.host}]" if ":" in local.host else local.host
        transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
        return f"<sip:{user}@{host}:{local.port}{transport}>"

    def call(self, flow: Flow, user: str, pinned: bool) -> OutgoingLeg:
        """Make an outgoing leg towards a flow, its INVITE still to be sent; `user` is the user part of our Contact."""
        leg = OutgoingLeg(self, flow, self.contact(user, flow), pinned)
        self.legs[leg.call_id, leg.local_tag] = leg
        return leg

    def take(self, invited: Invited, user: str, pinned: bool, now: float) -> IncomingLeg:
        """Make the leg of a call that comes in, and say 100 to it."""
        invited.transaction.respond(response_to(invited.request, 100), now)
        leg = IncomingLeg(
            self, invited.request, invited.transaction, invited.flow, self.contact(user, invited.flow), pinned
        )
        self.legs[leg.call_id, leg.local_tag] = leg
        self._incoming[leg.call_id, leg.remote_tag] = leg
        return leg

    def resume(self, dialog: Dialog, now: float) -> Leg:
        """Take up a confirmed dialog from before a restart."""
        leg = Leg(self, dialog.call_id, dialog.local_tag, dialog.flow, dialog.contact, dialog.pinned)
        leg.dialog = dialog
        leg.come_up(now)
        self.legs[leg.call_id, leg.local_tag] = leg
        return leg

    def answer(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        extra: dict[str, list[str]] | None = None,
        phrase: str = "",
    ) -> None:
        """Answer a request outside any leg."""
        response = response_to(request, status, phrase, self.token())
        response.headers["Server"] = [self.name]
        response.headers.update(extra or {})
        transaction.respond(response, now)

    def drop(self, leg: Leg) -> None:
        """Forget a leg that has ended."""
        self.legs.pop((leg.call_id, leg.local_tag), None)
        if isinstance(leg, IncomingLeg):
            self._incoming.pop((leg.call_id, leg.remote_tag), None)

    # -- upward -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message."""
        try:
            message = parse_message(data)
        except SipError as error:
            self.events.append(Strange(flow, str(error)))
            return
        happened: Happened | None = None
        try:
            happened = self.layer.receive(message, flow, now)
            if happened is not None:
                self._dispatch(happened, now)
        except SipError as error:
            self.events.append(Strange(flow, f"{message!r}: {error}"))
            if isinstance(happened, RequestIn) and happened.transaction is not None:
                self.answer(happened.transaction, happened.request, error.status, now, phrase=str(error)[:100])
            elif isinstance(message, Request):
                self.layer.refuse(message, flow, error.status, str(error)[:100])
        self._take_failures(now)

    def tick(self, now: float) -> None:
        """Let happen what is due."""
        self.agenda.tick(now)
        self._take_failures(now)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Note that a flow cannot deliver."""
        self.layer.flow_failed(flow, now)
        self._take_failures(now)

    def _take_failures(self, now: float) -> None:
        failures = self.layer.failures
        while failures:
            failed = failures.popleft()
            failed.transaction.user.on_failure(failed.transaction, failed.status, now)

    def _dispatch(self, happened: Happened, now: float) -> None:
        if isinstance(happened, ResponseIn):
            transaction, response = happened
            transaction.user.on_response(transaction, response, now)
            if response.code >= 200:
                transaction.request = None  # what waits for its last timer is kept small
        elif isinstance(happened, Cancelled):
            leg = happened.transaction.user
            if leg is not None:
                leg.on_cancel(happened.reason, now)
        elif isinstance(happened, RequestIn):
            self._on_request(happened, now)

    def _on_request(self, asked: RequestIn, now: float) -> None:
        request, transaction = asked.request, asked.transaction
        to_tag = request.to_tag
        if to_tag is not None:
            leg = self.legs.get((request.call_id, to_tag))
            if leg is not None and leg.dialog is not None and leg.dialog.remote_tag != (request.from_tag or ""):
                leg = None
            if leg is not None:
                leg.on_request(transaction, request, now)
            elif transaction is not None:
                self.answer(transaction, request, 481, now)
        elif transaction is not None:
            self._on_new(request, transaction, asked.flow, now)

    def _on_new(self, request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        refusal = self._refusal(request, flow)
        if refusal is not None:
            status, extra = refusal
            self.answer(transaction, request, status, now, extra)
        elif request.method == "INVITE":
            self._on_invite(request, transaction, flow, now)
        elif request.method == "REGISTER":
            self.events.append(Registering(request, transaction, flow))
        else:
            self.answer_plainly(transaction, request, now)

    def _on_invite(self, request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        if (request.call_id, request.from_tag or "") in self._incoming:
            self.answer(transaction, request, 482, now)  # merged: it came twice, by two ways (§8.2.2.2)
            return
        self.events.append(Invited(request, transaction, flow))

    def _refusal(self, request: Request, flow: Flow) -> tuple[int, dict[str, list[str]] | None] | None:
        """Return the status and headers to refuse a new request with, None where it may be taken (§8.2)."""
        if request.method not in KNOWN:
            return 501, {"Allow": [ALLOW]}
        parse_uri(request.uri)
        parse_uri(str(request.from_.uri))
        unknown = [tag for tag in request.tokens("Require") if tag not in EXTENSIONS]
        if unknown:
            return 420, {"Unsupported": [", ".join(unknown)]}
        if request.method == "INVITE":
            return self._invite_refusal(request, flow)
        return None

    @staticmethod
    def _invite_refusal(request: Request, flow: Flow) -> tuple[int, dict[str, list[str]] | None] | None:
        if request.number("Max-Forwards", 70) == 0:
            return 483, None
        dialog_as_callee(request, "", "", flow, pinned=False)  # raises where no dialog could come of it
        if too_brief(request):
            return 422, {"Min-SE": [str(LEAST)]}
        content_type = (request.get("Content-Type") or "").split(";")[0].strip().lower()
        if request.body and content_type not in ("application/sdp", "multipart/mixed"):
            return 415, {"Accept": ["application/sdp"]}
        if request.body and request.get("Content-Encoding"):
            return 415, {"Accept-Encoding": ["identity"]}
        return None

    def answer_plainly(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Answer what needs no decision: OPTIONS, and methods that we do not have."""
        if request.method == "OPTIONS":
            capabilities = {
                "Allow": [ALLOW],
                "Accept": ["application/sdp"],
                "Supported": ["replaces, timer"],
                "Contact": [self.contact("bridge", transaction.flow)],
            }
            self.answer(transaction, request, 200, now, capabilities)
        elif request.method in ("SUBSCRIBE", "PUBLISH"):
            self.answer(transaction, request, 489, now)
        elif request.method in KNOWN:
            self.answer(transaction, request, 405, now, {"Allow": [ALLOW]})
        else:
            self.answer(transaction, request, 501, now, {"Allow": [ALLOW]})
