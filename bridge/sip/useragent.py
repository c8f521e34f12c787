"""The user agent core (RFC 3261 §8, §12.2.2): from bytes to legs and events, sans-IO.

What arrives is parsed, given to its transaction, then to the leg of its dialog; what belongs to no dialog is checked
(§8.2) and queued in `events` for the exchange to decide. Nothing that the network sends raises here.

What is answered at once outside any dialog leaves nothing behind (§8.2.7): a stranger costs the time of an answer, no
memory and no repeats of it; who did not hear it asks again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

from bridge.sip.agenda import Agenda
from bridge.sip.checks import ALLOW, KNOWN, refusal
from bridge.sip.dialog import Dialog
from bridge.sip.flow import Flow, LocalAddress, Locate, Send
from bridge.sip.glare import Uniform
from bridge.sip.grammar import SipError, parse_uri, uri_of
from bridge.sip.incoming import IncomingLeg
from bridge.sip.layer import Cancelled, Happened, RequestIn, ResponseIn, TransactionLayer
from bridge.sip.leg import Leg
from bridge.sip.legevents import LegEvent
from bridge.sip.message import Request, Response, response_to
from bridge.sip.notifier import Notifier
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.reading import Unreadable, parse_message
from bridge.sip.transaction import ServerTransaction


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


class Subscribing(NamedTuple):
    """A phone wants to be told of something; `notifier`: the subscription that it goes on with, None for a new one."""

    request: Request
    transaction: ServerTransaction
    flow: Flow
    notifier: Notifier | None = None


class Strange(NamedTuple):
    """Something came that cannot be taken; for the log."""

    flow: Flow
    text: str


class Subscriber(Protocol):
    """Who takes the NOTIFYs of a subscription of ours."""

    def on_notify(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Take and answer a NOTIFY."""


DIALOG = "dialog"
"""The event package that phones can subscribe to."""

AgentEvent = LegEvent | Invited | Registering | Subscribing | Strange


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
        self.uniform: Uniform = lambda least, most: (least + most) / 2
        """Random numbers between two others, for pauses."""
        self.changed = False
        """Whether legs have come, gone, or been answered since somebody who wants to know set this back."""
        self.subscriptions: dict[tuple[str, str], Subscriber] = {}  # by Call-ID and our tag
        self.notifiers: dict[tuple[str, str], Notifier] = {}  # of phones' subscriptions at us, by Call-ID and our tag
        self._incoming: dict[tuple[str, str], IncomingLeg] = {}  # by Call-ID and remote tag

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent."""
        return self.layer.outbox

    # -- downward ---------------------------------------------------------------------------------------------

    def contact(self, user: str, flow: Flow) -> str:
        """Return our Contact value towards a peer."""
        return _contact(user, self.locate(flow), flow.transport)

    def call(self, flow: Flow, user: str, pinned: bool) -> OutgoingLeg:
        """Make an outgoing leg towards a flow, its INVITE still to be sent; `user` is the user part of our Contact."""
        leg = OutgoingLeg(self, flow, self.contact(user, flow), pinned)
        self.legs[leg.call_id, leg.local_tag] = leg
        return leg

    def take(self, invited: Invited, user: str, pinned: bool, now: float) -> IncomingLeg:
        """Make the leg of a call that comes in, and say 100 to it."""
        self.layer.keep(invited.transaction)
        invited.transaction.respond(response_to(invited.request, 100), now)
        leg = IncomingLeg(
            self, invited.request, invited.transaction, invited.flow, self.contact(user, invited.flow), pinned
        )
        self.legs[leg.call_id, leg.local_tag] = leg
        self._incoming[leg.call_id, leg.remote_tag] = leg
        self.changed = True
        return leg

    def resume(self, dialog: Dialog, now: float) -> Leg:
        """Take up a confirmed dialog from before a restart."""
        leg = Leg(self, dialog.call_id, dialog.local_tag, dialog.flow, dialog.contact, dialog.pinned)
        leg.dialog = dialog
        leg.come_up(now)
        self.legs[leg.call_id, leg.local_tag] = leg
        return leg

    def renew_contacts(self) -> list[Leg]:
        """Tell our address as it is now in all that is said from now on; return the legs that know another one."""
        stale = []
        for leg in self.legs.values():
            contact = self.contact(parse_uri(uri_of(leg.contact)).user or "bridge", leg.flow)
            if contact != leg.contact:
                leg.contact = contact
                stale.append(leg)
        return stale

    def moved(self, before: Flow, after: Flow, now: float) -> None:
        """Note that a phone is reached by another flow now: its talks go on there."""
        for leg in tuple(self.legs.values()):
            if leg.flow == before:
                leg.follow(after, now)

    def answer(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        extra: dict[str, list[str]] | None = None,
        phrase: str = "",
    ) -> None:
        """Answer a request outside any leg, finally."""
        response = response_to(request, status, phrase, self.layer.tag_for(request))
        response.headers["Server"] = [self.name]
        response.headers.update(extra or {})
        self.layer.answer(transaction, response, now)

    def answer_register(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Answer a REGISTER; one that was taken is not taken again when it is repeated."""
        if response.code < 300 and not self.layer.full_for(transaction.flow):
            self.layer.keep(transaction)
        self.layer.answer(transaction, response, now)

    def drop(self, leg: Leg) -> None:
        """Forget a leg that has ended."""
        self.changed = True
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
            if isinstance(error, Unreadable) and error.request is not None:
                self.layer.refuse(error.request, flow, error.status, str(error)[:100])
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
        if request.method == "NOTIFY" and transaction is not None:
            subscriber = self.subscriptions.get((request.call_id, to_tag or ""))
            if subscriber is not None:
                self.layer.keep(transaction)  # one that comes twice is answered as before, not as out of order
                subscriber.on_notify(transaction, request, now)
                return
        if request.method == "SUBSCRIBE" and transaction is not None and to_tag is not None:
            notifier = self.notifiers.get((request.call_id, to_tag))
            if notifier is not None and notifier.dialog.remote_tag == (request.from_tag or ""):
                self.events.append(Subscribing(request, transaction, asked.flow, notifier))
                return
        if to_tag is not None:
            leg = self.legs.get((request.call_id, to_tag))
            if leg is not None and leg.dialog is not None and leg.dialog.remote_tag != (request.from_tag or ""):
                leg = None
            if leg is None and transaction is not None:
                self.answer(transaction, request, 481, now)
            elif transaction is not None and self.layer.full_for(asked.flow) and request.method != "BYE":
                self.answer(transaction, request, 503, now, {"Retry-After": ["10"]})
            elif leg is not None:
                if transaction is not None:
                    self.layer.keep(transaction)
                leg.heard_by(asked.flow, now)
                leg.on_request(transaction, request, now)
        elif transaction is not None:
            self._on_new(request, transaction, asked.flow, now)

    def _on_new(self, request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        refused = refusal(request, flow)
        if refused is not None:
            self.answer(transaction, request, refused.status, now, refused.extra)
        elif request.method == "INVITE":
            self._on_invite(request, transaction, flow, now)
        elif request.method == "REGISTER":
            self.events.append(Registering(request, transaction, flow))
        elif request.method == "SUBSCRIBE" and event_of(request) == DIALOG:
            self.events.append(Subscribing(request, transaction, flow))
        else:
            self.answer_plainly(transaction, request, now)

    def _on_invite(self, request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        if (request.call_id, request.from_tag or "") in self._incoming:
            self.answer(transaction, request, 482, now)  # merged: it came twice, by two ways (§8.2.2.2)
            return
        self.events.append(Invited(request, transaction, flow))

    def answer_plainly(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Answer what needs no decision: OPTIONS, and methods that we do not have."""
        if request.method == "OPTIONS":
            capabilities = {
                "Allow": [ALLOW],
                "Accept": ["application/sdp"],
                "Supported": ["replaces, timer"],
                "Allow-Events": [DIALOG],
                "Contact": [self.contact("bridge", transaction.flow)],
            }
            self.answer(transaction, request, 200, now, capabilities)
        elif request.method in ("SUBSCRIBE", "PUBLISH"):
            self.answer(transaction, request, 489, now, {"Allow-Events": [DIALOG]})
        elif request.method in KNOWN:
            self.answer(transaction, request, 405, now, {"Allow": [ALLOW]})
        else:
            self.answer(transaction, request, 501, now, {"Allow": [ALLOW]})


@lru_cache(maxsize=512)
def _contact(user: str, local: LocalAddress, transport: str) -> str:
    host = f"[{local.host}]" if ":" in local.host else local.host
    suffix = "" if transport == "udp" else f";transport={transport}"
    return f"<sip:{user}@{host}:{local.port}{suffix}>"


def event_of(request: Request) -> str:
    """Return the event package that a request names, "" where it names none."""
    return (request.get("Event") or "").partition(";")[0].strip().lower()
