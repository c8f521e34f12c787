"""Picking up: a call that rings elsewhere goes to a phone that the hunt has not chosen.

From a door without a phone the picker's own phone is rung, beside those that ring already, and asked to answer by
itself; a phone that dials the code, or sends an INVITE with Replaces, has called already. There both sides have made
an offer, so its own is answered with one that lets nothing flow, and once that is acknowledged it gets the caller's
offer in a re-INVITE (RFC 3725). Either way the hunt goes on until the picker has answered: who fails to pick up has
spoilt nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.fork import Fork
from bridge.calls.ordered.errand import Errand
from bridge.calls.ordered.stillness import still
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Acknowledged, Ended, LegEvent, Replied, Requested
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.passage import Way


class Picker(Errand):
    """A phone of ours that has called to take a call. `member`: who takes it; `way`: how it is offered the call.

    `ended` is told once it is known whether the call is taken, and why not: "" where it is.
    """

    def __init__(
        self,
        call: Call,
        leg: IncomingLeg,
        line: str,
        member: str,
        way: Way,
        ended: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._call = call
        self._leg = leg
        self._line = line
        self._member = member
        self._way = way
        self._ended = ended

    def begin(self, host: str, session: str, now: float) -> None:
        """Answer the phone. Raises `SipError` where its offer cannot be answered."""
        body = still(self._leg.offer, host, session)
        self._leg.owner = self
        self._leg.accept(body, now)

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of the phone's leg."""
        match event:
            case Acknowledged():
                if not self._call.searching or not self._leg.request("INVITE", self._way.body, self, now):
                    self._fail("the call was gone", now)
            case Requested():
                event.leg.respond(event.transaction, event.request, 491, None, now)
            case Replied() if event.context is self:
                self.on_replied(event, now)
            case Ended():
                self._ended(f"the phone {event.why}")

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the phone's answer to the caller's offer, or its own where the caller has made none."""
        if not 200 <= event.status < 300:
            self._fail(f"the phone said {event.status} {event.phrase}", now)
            return
        body: Body | None = event.body
        if not self._call.take(Fork.of_one(self._leg, self._member, self._line, body, now), now):
            self._leg.acknowledge(None, now)
            self._fail("somebody else was faster", now)
            return
        self._ended("")

    def _fail(self, why: str, now: float) -> None:
        self._leg.owner = None
        self._leg.hang_up(None, now)
        self._ended(why)
