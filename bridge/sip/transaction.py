"""The four transactions of RFC 3261 §17, with RFC 6026's Accepted state. Sans-IO.

A transaction pairs one request with its responses on a transport that may lose, repeat and reorder. It retransmits
for the side that asks, absorbs repeats for the side that answers, and gives up in the end. Each machine's transitions
are the table at its head: (state, happening) to the next state; the methods below it do what goes with a transition
and set the timers, which carry the RFC's letters. A transaction that is over keeps only the bytes it may have
to send again, for at 100 calls/s some ten thousand of them wait for their last timer.

Timers (seconds): T1 0.5, T2 4, T4 5; 64*T1 = 32.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.sip.flow import Flow, Send
from bridge.sip.message import Request, Response

if TYPE_CHECKING:
    from bridge.sip.layer import TransactionLayer

T1, T2, T4 = 0.5, 4.0, 5.0
TIMEOUT = 64 * T1
RINGS_NO_ONE = 180.0


class State(Enum):
    """The states of all four machines (RFC 3261 figures 5 to 8, RFC 6026 §7)."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"

    __hash__ = object.__hash__  # by identity, as they are compared; Enum's own hashes the name in Python


class Happening(Enum):
    """What can happen to a transaction."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    ACK = "ACK"

    __hash__ = object.__hash__


Table = dict[tuple[State, Happening], State]

NON_INVITE: Table = {
    (State.TRYING, Happening.PROVISIONAL): State.PROCEEDING,
    (State.TRYING, Happening.SUCCESS): State.COMPLETED,
    (State.TRYING, Happening.FAILURE): State.COMPLETED,
    (State.PROCEEDING, Happening.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Happening.SUCCESS): State.COMPLETED,
    (State.PROCEEDING, Happening.FAILURE): State.COMPLETED,
}
"""Both sides of a non-INVITE transaction (RFC 3261 figures 6 and 8)."""


class Transaction(ABC):
    """What the four share: a state, one retransmission timer and one last timer."""

    table: ClassVar[Table]
    __slots__ = ("again", "due", "expires", "flow", "interval", "key", "layer", "method", "state", "wire")

    def __init__(self, layer: TransactionLayer, key: object, method: str, flow: Flow, state: State) -> None:
        self.layer = layer
        self.key = key
        self.method = method
        self.flow = flow
        self.state = state
        self.due: float | None = None
        self.again: float | None = None  # when to retransmit
        self.expires: float | None = None  # when the last timer ends
        self.interval = T1
        self.wire = b""  # what is sent again

    def _move(self, happening: Happening) -> bool:
        """Make the transition; False where the table has none: what happened changes nothing."""
        following = self.table.get((self.state, happening))
        if following is None:
            return False
        self.state = following
        return True

    def _send(self) -> None:
        self.layer.outbox.append(Send(self.flow, self.wire))

    def _timers(self, again: float | None, expires: float | None) -> None:
        self.again, self.expires = again, expires
        due = again if expires is None else expires if again is None else min(again, expires)
        self.layer.agenda.arm(self, due)

    def _last(self, now: float, seconds: float) -> None:
        """Stay for `seconds` to absorb repeats; leave at once where that is nothing."""
        if seconds > 0:
            self.again, self.expires = None, self.layer.agenda.arm_roughly(self, now + seconds)
        else:
            self._leave()

    def _leave(self) -> None:
        self.state = State.TERMINATED
        self._timers(None, None)
        self.layer.forget(self)

    def tick(self, now: float) -> None:
        """Retransmit, or let the last timer end."""
        if self.expires is not None and self.expires <= now:
            self._expire(now)
            return
        if self.again is not None and self.again <= now:
            self._send()
            self.interval = self._next_interval()
            self.again = now + self.interval
        self._timers(self.again, self.expires)

    def _next_interval(self) -> float:
        return min(self.interval * 2, T2)

    def _expire(self, now: float) -> None:
        self._leave()

    def broken(self, now: float) -> None:
        """Note that the transport cannot deliver (RFC 3261 §17.1.4, §17.2.4)."""
        if self.state is not State.TERMINATED:
            self._leave()


class ClientTransaction(Transaction):
    """What the two client transactions share. `user` is told of responses; `context` is the user's own.

    The key is the branch and the method.
    """

    key: tuple[str, str]
    __slots__ = ("context", "request", "user")

    def __init__(
        self,
        layer: TransactionLayer,
        key: tuple[str, str],
        request: Request,
        flow: Flow,
        user: Any,
        context: Any,
        state: State,
    ) -> None:
        super().__init__(layer, key, request.method, flow, state)
        self.request: Request | None = request
        self.user = user
        self.context = context
        self.wire = bytes(request)

    def start(self, now: float) -> None:
        """Send the request for the first time."""
        self._send()
        self._timers(None if self.flow.reliable else now + T1, now + TIMEOUT)

    @abstractmethod
    def receive(self, response: Response, now: float) -> bool:
        """Take a response; True where the user is to be told of it."""

    def _expire(self, now: float) -> None:
        if self.state in (State.CALLING, State.TRYING, State.PROCEEDING):
            self.layer.fail(self, 408)
        else:
            self.user = None  # who knows this transaction: so both go at once, without the garbage collector
        self._leave()

    def broken(self, now: float) -> None:
        """Fail the user with 503 where it still waits (RFC 3261 §8.1.3.1)."""
        if self.state in (State.CALLING, State.TRYING, State.PROCEEDING):
            self.layer.fail(self, 503)
        super().broken(now)


class ClientInvite(ClientTransaction):
    """INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §8.4).

    Timer B runs in Calling only: a phone may ring for as long as it likes. Inside a dialog nothing rings: there what is
    never answered finally fails in the end.
    """

    table: ClassVar[Table] = {
        (State.CALLING, Happening.PROVISIONAL): State.PROCEEDING,
        (State.CALLING, Happening.SUCCESS): State.ACCEPTED,
        (State.CALLING, Happening.FAILURE): State.COMPLETED,
        (State.PROCEEDING, Happening.PROVISIONAL): State.PROCEEDING,
        (State.PROCEEDING, Happening.SUCCESS): State.ACCEPTED,
        (State.PROCEEDING, Happening.FAILURE): State.COMPLETED,
        (State.ACCEPTED, Happening.SUCCESS): State.ACCEPTED,
        (State.COMPLETED, Happening.FAILURE): State.COMPLETED,
    }
    __slots__ = ()

    def __init__(
        self, layer: TransactionLayer, key: tuple[str, str], request: Request, flow: Flow, user: Any, context: Any
    ) -> None:
        super().__init__(layer, key, request, flow, user, context, State.CALLING)

    def _next_interval(self) -> float:
        return self.interval * 2  # timer A has no cap

    def receive(self, response: Response, now: float) -> bool:
        """Take a response. A failure is acknowledged here, a success by the user (§13.2.2.4)."""
        if response.code < 200:
            first = self.state is State.CALLING
            moved = self._move(Happening.PROVISIONAL)
            if moved and first:
                assert self.request is not None
                inside = self.request.to_tag is not None
                self._timers(None, now + RINGS_NO_ONE if inside else None)
            return moved
        if response.code < 300:
            first = self.state is not State.ACCEPTED
            if not self._move(Happening.SUCCESS):
                return False
            if first:
                self.wire = b""
                self._last(now, TIMEOUT)  # timer M
            return True
        first = self.state is not State.COMPLETED
        if not self._move(Happening.FAILURE):
            return False
        if first:
            assert self.request is not None
            self.wire = bytes(ack_for_failure(self.request, response))
            self._send()
            self._last(now, 0.0 if self.flow.reliable else TIMEOUT)  # timer D
            return True
        self._send()
        return False

    def give_up_at(self, when: float) -> None:
        """Wait no longer than this for a first response: there is somebody else to be asked."""
        if self.state is State.CALLING:
            self._timers(self.again, when)

    def give_up_after_cancel(self, now: float) -> None:
        """Wait 64*T1 for the final response to a cancelled INVITE, then consider it gone (§9.1)."""
        self._timers(None, now + TIMEOUT)


class ClientNonInvite(ClientTransaction):
    """Non-INVITE client transaction (RFC 3261 §17.1.2)."""

    table: ClassVar[Table] = NON_INVITE
    __slots__ = ()

    def __init__(
        self, layer: TransactionLayer, key: tuple[str, str], request: Request, flow: Flow, user: Any, context: Any
    ) -> None:
        super().__init__(layer, key, request, flow, user, context, State.TRYING)

    def _next_interval(self) -> float:
        return T2 if self.state is State.PROCEEDING else min(self.interval * 2, T2)  # timer E

    def receive(self, response: Response, now: float) -> bool:
        """Take a response; repeats of the final one are absorbed."""
        code = response.code
        if code < 200:
            return self._move(Happening.PROVISIONAL)
        if not self._move(Happening.SUCCESS if code < 300 else Happening.FAILURE):
            return False
        self.wire = b""
        self._last(now, 0.0 if self.flow.reliable else T4)  # timer K
        return True


class ServerTransaction(Transaction):
    """What the two server transactions share. `user`: the leg that a CANCEL is for, once there is one."""

    __slots__ = ("user",)

    def __init__(self, layer: TransactionLayer, key: object, method: str, flow: Flow, state: State) -> None:
        super().__init__(layer, key, method, flow, state)
        self.user: Any = None

    @abstractmethod
    def respond(self, response: Response, now: float) -> bytes:
        """Send a response and return its bytes; once a final one is sent, another changes nothing."""

    def repeat(self, now: float) -> None:
        """Absorb a repeated request: the last response goes again."""
        if self.wire and self.state in (State.PROCEEDING, State.COMPLETED):
            self._send()


class ServerInvite(ServerTransaction):
    """INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §8.5). The 2xx is sent again by the user, not here."""

    table: ClassVar[Table] = {
        (State.PROCEEDING, Happening.PROVISIONAL): State.PROCEEDING,
        (State.PROCEEDING, Happening.SUCCESS): State.ACCEPTED,
        (State.PROCEEDING, Happening.FAILURE): State.COMPLETED,
        (State.ACCEPTED, Happening.SUCCESS): State.ACCEPTED,
        (State.COMPLETED, Happening.ACK): State.CONFIRMED,
    }
    __slots__ = ()

    def __init__(self, layer: TransactionLayer, key: object, flow: Flow) -> None:
        super().__init__(layer, key, "INVITE", flow, State.PROCEEDING)

    def respond(self, response: Response, now: float) -> bytes:
        """Send a response of the user's."""
        wire = bytes(response)
        if response.code < 200:
            if self._move(Happening.PROVISIONAL):
                self.wire = wire
                self._send()
        elif response.code < 300:
            first = self.state is State.PROCEEDING
            if self._move(Happening.SUCCESS):
                self.layer.outbox.append(Send(self.flow, wire))
                if first:
                    self.wire = b""
                    self.user = None
                    self._last(now, TIMEOUT)  # timer L
        elif self._move(Happening.FAILURE):
            self.wire = wire
            self.user = None
            self._send()
            self._timers(None if self.flow.reliable else now + T1, now + TIMEOUT)  # timers G and H
        return wire

    def acknowledged(self, now: float) -> None:
        """Take the ACK to a failure."""
        if self._move(Happening.ACK):
            self.wire = b""
            self._last(now, 0.0 if self.flow.reliable else T4)  # timer I


class ServerNonInvite(ServerTransaction):
    """Non-INVITE server transaction (RFC 3261 §17.2.2)."""

    table: ClassVar[Table] = NON_INVITE
    __slots__ = ()

    def __init__(self, layer: TransactionLayer, key: object, method: str, flow: Flow) -> None:
        super().__init__(layer, key, method, flow, State.TRYING)

    def respond(self, response: Response, now: float) -> bytes:
        """Send a response of the user's."""
        wire = bytes(response)
        happening = Happening.PROVISIONAL
        if response.code >= 200:
            happening = Happening.SUCCESS if response.code < 300 else Happening.FAILURE
        if self._move(happening):
            self.wire = wire
            self._send()
            if response.code >= 200:
                self._last(now, 0.0 if self.flow.reliable else TIMEOUT)  # timer J
        return wire


def ack_for_failure(invite: Request, response: Response) -> Request:
    """Return the ACK to a 300-699 response: of the same transaction (RFC 3261 §17.1.1.3)."""
    headers = _of_same_transaction(invite, "ACK")
    headers["To"] = [response.need("To")]
    return Request("ACK", invite.uri, headers)


def cancel_for(invite: Request, reason: str | None) -> Request:
    """Return the CANCEL of an INVITE (RFC 3261 §9.1); `reason` is a Reason header (RFC 3326)."""
    headers = _of_same_transaction(invite, "CANCEL")
    if reason:
        headers["Reason"] = [reason]
    return Request("CANCEL", invite.uri, headers)


def _of_same_transaction(invite: Request, method: str) -> dict[str, list[str]]:
    headers = {
        "Via": [invite.headers["Via"][0]],
        "Max-Forwards": ["70"],
        "From": [invite.need("From")],
        "To": [invite.need("To")],
        "Call-ID": [invite.need("Call-ID")],
        "CSeq": [f"{invite.cseq.sequence} {method}"],
    }
    if "Route" in invite.headers:
        headers["Route"] = list(invite.headers["Route"])
    return headers
