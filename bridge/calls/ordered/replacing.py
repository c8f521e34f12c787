"""INVITE with Replaces (RFC 3891): a phone of ours takes the place of a leg of a call.

| Replaces names | and | then |
|---|---|---|
| a leg that rings one of our lines | the phone's user may pick up there | the call is picked up (`pickup`) |
| a line's leg in a talk | it is the phone's own line, or its user controls that line | the phone takes its place |
| the same, `early-only` | | 486 |
| anything else: another's leg, a trunk's, one that is gone | | 481 |

Who is no phone of ours gets 481 for all of it, and so learns nothing. A leg in a talk is replaced by asking the other
side (re-INVITE with the phone's offer, or without where it made none); only when that has agreed is the phone answered
and the leg hung up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.onward.referring import Replaces, dialog_named
from bridge.calls.ordered.errand import Interruptible
from bridge.calls.passage import Passage
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Ended, LegEvent, Replied, Requested
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.calls.call import Call

NO_SUCH_CALL = 481
BUSY_HERE = 486
_GONE = (408, 481, 487)  # what who stays says, or is taken to say, once it stays no more


def wanted(request: Request) -> Replaces | None:
    """Return what an INVITE is to replace, None for a usual one. Raises `SipError` 400 where it cannot be read."""
    values = request.headers.get("Replaces", [])
    if not values:
        return None
    if len(values) > 1:
        raise SipError("an INVITE has one Replaces at the most")
    named = dialog_named(values[0])
    if not named.theirs:
        raise SipError("Replaces must be a Call-ID with to-tag and from-tag")
    return named


def find(asked: Replaces, legs: Mapping[tuple[str, str], Leg]) -> Leg | None:
    """Return the leg that is named, by Call-ID and both tags.

    Who has learned of it from the state of a line (RFC 4235) names the dialog as the line's phone would: our tag is the
    from-tag then (RFC 5359 §2.15).
    """
    turned = asked._replace(ours=asked.theirs, theirs=asked.ours)
    return _find(asked, legs) or _find(turned, legs)


def _find(asked: Replaces, legs: Mapping[tuple[str, str], Leg]) -> Leg | None:
    leg = legs.get((asked.call_id, asked.ours))
    if leg is None:
        return None
    if leg.dialog is not None:
        return leg if leg.dialog.remote_tag == asked.theirs else None
    return leg if isinstance(leg, OutgoingLeg) and asked.theirs in leg.early_tags else None


class Replacement(Interruptible):
    """A phone takes a leg's place in a talk. `who`: its line, and the member at it.

    `passage`: how its media and those of who stays will pass; `undo` lets the two talk again that did, `done` is told
    when the place is taken.
    """

    def __init__(
        self,
        call: Call,
        leaving: Leg,
        arriving: IncomingLeg,
        who: tuple[str, str],
        passage: Passage,
        undo: Callable[[float], None],
        done: Callable[[], None],
    ) -> None:
        assert call.talk is not None
        self._call = call
        self._leaving = leaving
        self._arriving = arriving
        self._line, self._who = who
        self._far = call.talk.other(leaving)
        self._passage = passage
        self._undo = undo
        self._done = done
        self._offered = arriving.offer is not None
        self._gone = False

    def begin(self, offer: Body | None, now: float) -> None:
        """Ask who stays, with the phone's offer as it is to be carried. Raises `SipError` where that cannot be done."""
        if not self._far.request("INVITE", offer, self, now, patient=True):
            raise SipError("something else is just being changed in the call", 491)
        self._arriving.owner = self
        self._call.errands.add(self)

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of the phone's leg while it is not answered, or has still to send the answer."""
        match event:
            case Ended():
                self._gone = True
            case Requested():
                event.leg.respond(event.transaction, event.request, 491, None, now)
            case Acknowledged():
                pass

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the answer, or the offer, of who stays."""
        self._call.errands.discard(self)
        if not 200 <= event.status < 300:
            self._give_up(event.status, now)
            return
        if self._gone:
            self._far.acknowledge(None, now)
            self._give_up(NO_SUCH_CALL, now)
            self._undo(now)
            return
        try:
            carry = self._passage.answer if self._offered else self._passage.offer
            body = carry(self._far, event.body)
            self._arriving.accept(body, now)
        except SipError as error:
            self._far.acknowledge(None, now)
            self._give_up(error.status, now)
            self._undo(now)
            return
        if self._offered:
            self._far.acknowledge(None, now)
        self._arriving.owner = self._call
        answer_follows = not self._offered  # the phone's ACK brings it
        self._call.seats.replace_side(self._leaving, self._arriving, self._line, self._who, self._passage, now)
        if answer_follows and self._call.talk is not None:
            self._call.talk.await_answer(self._far)
        self._done()

    def call_over(self, now: float) -> None:
        """Refuse the phone: there is nothing to take any more."""
        self._give_up(NO_SUCH_CALL, now)

    def _give_up(self, status: int, now: float) -> None:
        self._passage.close()
        if not self._gone:
            self._arriving.owner = None
            self._arriving.reject(NO_SUCH_CALL if status in _GONE else status, now)
