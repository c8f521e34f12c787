"""The transaction layer: finds the transaction that a message belongs to, and tells its user what came of it.

Downward (`request`, `respond`, `cancel`) are plain calls that end in `outbox`; upward everything is returned or queued
as a value, so that nobody is re-entered in the middle of a change. RFC 3261 §17.1.3, §17.2.3, §9.2.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from bridge.sip.agenda import Agenda
from bridge.sip.checks import KNOWN
from bridge.sip.flow import Flow, Locate, Send
from bridge.sip.grammar import SipError
from bridge.sip.message import Request, Response, response_to
from bridge.sip.transaction import (
    ClientInvite,
    ClientNonInvite,
    ClientTransaction,
    ServerInvite,
    ServerNonInvite,
    ServerTransaction,
    State,
    Transaction,
    cancel_for,
)
from bridge.sip.via import MAGIC, TopVia, stamp_source, top_via, way_back

MOST_KEPT = 50_000  # server transactions: 32 s of what a processor of today gets through
WAITING = (State.CALLING, State.TRYING, State.PROCEEDING)


class RequestIn(NamedTuple):
    """A new request, its transaction still to be kept, or answered as it is; None for an ACK, which has none."""

    transaction: ServerTransaction | None
    request: Request
    flow: Flow


class ResponseIn(NamedTuple):
    """A response that its user is to know."""

    transaction: ClientTransaction
    response: Response


class Failed(NamedTuple):
    """A request got no answer: 408 timed out, 503 not deliverable."""

    transaction: ClientTransaction
    status: int


class Cancelled(NamedTuple):
    """The INVITE of this transaction, still without a final response, was cancelled (CANCEL already answered)."""

    transaction: ServerInvite
    reason: str | None


Happened = RequestIn | ResponseIn | Failed | Cancelled


class TransactionLayer:
    """All transactions of one agent."""

    def __init__(self, agenda: Agenda, locate: Locate, token: Callable[[], str]) -> None:
        self.agenda = agenda
        self.outbox: list[Send] = []
        self.failures: deque[Failed] = deque()  # to be taken after each step
        self._locate = locate
        self._token = token
        self._clients: dict[object, ClientTransaction] = {}
        self._servers: dict[object, ServerTransaction] = {}
        self._kept_for = Counter[str]()  # server transactions by host
        self._on_flow: dict[tuple[object, ...], set[Transaction]] = {}  # by transport, host and port
        self._secret = token().encode()[:64]

    def full_for(self, flow: Flow) -> bool:
        """Whether so much is kept that nothing more should be for this peer's host.

        One host has at most three for each that is still free, so that it leaves room for others.
        """
        free = MOST_KEPT - len(self._servers)
        return 4 * free <= MOST_KEPT and self._kept_for[flow.host] >= 3 * free

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    @property
    def asking(self) -> bool:
        """Whether a request of ours waits for its final response."""
        return any(t.state in WAITING for t in self._clients.values())

    # -- downward ---------------------------------------------------------------------------------------------

    def request(self, request: Request, flow: Flow, user: Any, now: float, context: Any = None) -> ClientTransaction:
        """Send a request in a new transaction; its topmost Via is put on here."""
        branch = self._put_via(request, flow)
        make = ClientInvite if request.method == "INVITE" else ClientNonInvite
        transaction = make(self, (branch, request.method), request, flow, user, context)
        self._start(transaction, now)
        return transaction

    def _start(self, transaction: ClientTransaction, now: float) -> None:
        self._clients[transaction.key] = transaction
        self._on_flow.setdefault(transaction.flow[:3], set()).add(transaction)
        transaction.start(now)

    def taken_up(self, request: Request, flow: Flow) -> ServerInvite:
        """Return the transaction of a peer's INVITE from before a restart, which is still to be answered finally."""
        transaction = ServerInvite(self, self._server_key(request, top_via(request.need("Via")), "INVITE"), flow)
        self.keep(transaction)
        return transaction

    def take_up(self, invite: Request, flow: Flow, user: Any) -> ClientTransaction:
        """Return the transaction of an INVITE of ours from before a restart, which may have rung since."""
        key = (top_via(invite.need("Via")).branch, "INVITE")
        transaction = ClientInvite(self, key, invite, flow, user, None)
        transaction.state = State.PROCEEDING
        self._clients[key] = transaction
        self._on_flow.setdefault(flow[:3], set()).add(transaction)
        return transaction

    def send_ack(self, ack: Request, flow: Flow) -> Send:
        """Send the ACK to a 2xx, which is a transaction of nobody's; return it, to be sent again for a repeated 2xx."""
        self._put_via(ack, flow)
        send = Send(flow, bytes(ack))
        self.outbox.append(send)
        return send

    def cancel(self, invite: ClientTransaction, reason: str | None, now: float) -> None:
        """Send the CANCEL of an INVITE that has had a provisional response and no final one."""
        if invite.state is not State.PROCEEDING or invite.request is None or not isinstance(invite, ClientInvite):
            return
        request = cancel_for(invite.request, reason)
        key = (invite.key[0], "CANCEL")
        self._start(ClientNonInvite(self, key, request, invite.flow, None, None), now)
        invite.give_up_after_cancel(now)

    def _put_via(self, request: Request, flow: Flow) -> str:
        branch = f"{MAGIC}{self._token()}"
        local = self._locate(flow)
        host = f"[{local.host}]" if ":" in local.host else local.host
        via = f"SIP/2.0/{flow.transport.upper()} {host}:{local.port};branch={branch};rport"
        request.headers["Via"] = [via]
        return branch

    # -- upward -----------------------------------------------------------------------------------------------

    def receive(self, message: Request | Response, flow: Flow, now: float) -> Happened | None:
        """Take a message. Raises `SipError` for one without what RFC 3261 §8.1.1 makes mandatory."""
        via = top_via(message.need("Via"))
        if isinstance(message, Response):
            return self._receive_response(message, via, now)
        return self._receive_request(message, via, flow, now)

    def _receive_response(self, response: Response, via: TopVia, now: float) -> Happened | None:
        self._need_all(response)
        if len(response.headers["Via"]) > 1:
            raise SipError("a response to us must have one Via")  # §8.1.3.3
        transaction = self._clients.get((via.branch, response.cseq.method))
        if transaction is None or not transaction.receive(response, now) or transaction.user is None:
            return None
        return ResponseIn(transaction, response)

    def _receive_request(self, request: Request, via: TopVia, flow: Flow, now: float) -> Happened | None:
        method = request.method
        key = self._server_key(request, via, "INVITE" if method == "ACK" else method)
        known = self._servers.get(key)
        if known is not None:
            if method == "ACK" and isinstance(known, ServerInvite):
                if known.state is State.ACCEPTED:
                    return RequestIn(None, request, flow)
                known.acknowledged(now)
            else:
                known.repeat(now)
            return None
        if method == "ACK":
            return RequestIn(None, request, flow)
        self._check(request)
        back = stamp_source(request, via, flow)
        if method == "CANCEL":
            return self._receive_cancel(request, via, key, back, now)
        transaction: ServerTransaction
        transaction = ServerInvite(self, key, back) if method == "INVITE" else ServerNonInvite(self, key, method, back)
        return RequestIn(transaction, request, flow)

    def _receive_cancel(self, cancel: Request, via: TopVia, key: object, back: Flow, now: float) -> Happened | None:
        invite = self._servers.get(self._server_key(cancel, via, "INVITE"))
        status = 481 if invite is None else 200
        self.outbox.append(Send(back, bytes(response_to(cancel, status, to_tag=self.tag_for(cancel)))))
        if isinstance(invite, ServerInvite) and invite.state is State.PROCEEDING:
            return Cancelled(invite, cancel.get("Reason"))
        return None

    @staticmethod
    def _server_key(request: Request, via: TopVia, method: str) -> object:
        if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
            return via.branch, via.sent_by, method
        # RFC 2543 peers: no unique branch (§17.2.3)
        return request.get("Call-ID"), request.cseq.sequence, request.from_tag, via.sent_by, method

    @staticmethod
    def _need_all(message: Request | Response) -> None:
        for name in ("From", "To", "Call-ID"):
            message.need(name)

    def _check(self, request: Request) -> None:
        self._need_all(request)
        if request.cseq.method != request.method:
            status = 400 if request.method in KNOWN else 501
            raise SipError(f"CSeq names {request.cseq.method}, the request is {request.method}", status)

    # -- answers ------------------------------------------------------------------------------------------------

    def keep(self, transaction: ServerTransaction) -> None:
        """Keep a new request's transaction: it absorbs repeats from now on, and must be answered some time."""
        if transaction.key not in self._servers:
            self._kept_for[transaction.flow.host] += 1
        self._servers[transaction.key] = transaction
        self._on_flow.setdefault(transaction.flow[:3], set()).add(transaction)

    def answer(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Send a final response; where its transaction is not kept nothing stays of it (§8.2.7)."""
        if self._servers.get(transaction.key) is transaction:
            transaction.respond(response, now)
        else:
            self.outbox.append(Send(transaction.flow, bytes(response)))

    def refuse(self, request: Request, flow: Flow, status: int, phrase: str) -> None:
        """Answer a request that has no transaction because it is wrong; nobody who cannot be answered."""
        if request.method == "ACK":
            return
        back: Flow | None
        try:
            back = stamp_source(request, top_via(request.need("Via")), flow)
        except SipError:
            back = way_back(request, flow)
        if back is not None:
            self.outbox.append(Send(back, bytes(response_to(request, status, phrase, self.tag_for(request)))))

    def tag_for(self, request: Request) -> str:
        """Return a To tag for an answer of which nothing is kept: another time the same for the same request."""
        what = f"{request.get('Call-ID')} {request.get('From')}".encode("utf-8", "surrogateescape")
        return hashlib.blake2b(what, digest_size=8, key=self._secret).hexdigest()

    # -- from the transactions ----------------------------------------------------------------------------------

    def fail(self, transaction: ClientTransaction, status: int) -> None:
        """Queue a client transaction's failure for its user."""
        if transaction.user is not None:
            self.failures.append(Failed(transaction, status))

    def forget(self, transaction: Transaction) -> None:
        """Drop a transaction that is over."""
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
        elif self._servers.pop(transaction.key, None) is not None:
            self._forget_host(transaction.flow.host)
        place = transaction.flow[:3]
        there = self._on_flow.get(place)
        if there is not None:
            there.discard(transaction)
            if not there:
                del self._on_flow[place]

    def _forget_host(self, host: str) -> None:
        self._kept_for[host] -= 1
        if not self._kept_for[host]:
            del self._kept_for[host]

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Break every transaction on a flow that cannot deliver."""
        for transaction in tuple(self._on_flow.get(flow[:3], ())):
            transaction.broken(now)
