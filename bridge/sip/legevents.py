"""What a leg says: values that its leg queues and its call takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.sip.message import Body, Request
from bridge.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from bridge.sip.leg import Leg


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
    """The peer is gone: BYE, CANCEL, or it answers no more. `reason` is a Reason header's value, if it sent one."""

    leg: Leg
    why: str
    reason: str | None = None


class Moved(NamedTuple):
    """A phone speaks from another place than before: its address translator has begun anew, or its connection."""

    leg: Leg


LegEvent = Progress | Accepted | Rejected | Acknowledged | Requested | Replied | Ended | Moved
