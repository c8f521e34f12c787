"""A transfer to a call that still rings: the referrer does not wait for the answer (semi-attended).

The referrer talks, calls somebody else meanwhile, and sends its REFER while that rings. The search goes on as it is,
whoever rings, in a group, at a line or outside: it is the transferee who calls from now on. The referrer's own leg to
it rings on until the transfer is over, for the phone may show it, and may cancel it without any harm.

| phase | what happens | then |
|---|---|---|
| SEEKING | somebody answers, to the referrer's offer | JOINING |
| SEEKING | nobody answers, and it leads nowhere else | FAILED: the referrer hears so, and the talk goes on |
| SEEKING | it leads to a queue | the transferee is invited to wait there (`transfer`), and refused the call is over |
| SEEKING | the transferee hangs up | FAILED: the referrer who still calls has the call again; else it is given up |
| JOINING | who answered is asked for an offer, and the transferee takes it (`transfer`, attended) | DONE |
| JOINING | both pass the relay, and one is behind a trunk: they are joined there, nobody is asked | DONE |
| JOINING | one of the two refuses, or is gone | FAILED: who answered gets the referrer, or is hung up |

A referrer who is gone gets nobody back: where nobody answers the transferee is hung up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.fork import ELSEWHERE
from bridge.calls.onward.lending import take_back
from bridge.calls.onward.transfer import Transfer
from bridge.calls.switch import Switch
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg, LegState
from bridge.sip.legevents import Ended, LegEvent, Replied, Requested
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.queue.waiting import Waiting

_REPLACED = 487


class EarlyTransfer(Transfer):
    """`calling`: the referrer's leg to the call that rings; `lead` leads the transfer to who has answered there."""

    def __init__(
        self,
        switch: Switch,
        call: Call,
        referrer: Leg,
        transferee: Leg,
        told: Callable[[int], None] | None,
        onward: Call,
        calling: IncomingLeg,
        lead: Callable[[Transfer, Leg], None],
    ) -> None:
        super().__init__(switch, call, referrer, transferee, told)
        self.onward = onward
        self._searched = onward
        self._calling = calling
        self._before = onward.caller
        self._lead = lead
        self._answer: Body | None = None  # to the referrer's offer
        self._to_meet = False  # both may be joined in the relay
        self._is_queue = False  # the search has led to a queue, which has made us an offer

    @property
    def _still_calls(self) -> bool:
        """Whether the referrer has not given up its own call."""
        return self._calling.state in (LegState.TRYING, LegState.RINGING)

    def begin(self, now: float) -> None:
        """Let the search go on for the transferee."""
        onward = self._searched
        onward.errands.add(self)
        self._calling.owner = self
        onward.seats.leave(self._calling)
        onward.seats.seat(self.party, self)
        onward.note(now, None, "searches on for who is transferred", self.party.display)
        if onward.offers.ringing:
            self.ring(now)

    def handle(self, event: LegEvent, now: float) -> None:
        """Take note that the referrer has given up its own call, as phones do once they have sent their REFER.

        One that has been given the answer after all is connected anew once it has acknowledged that.
        """
        if self.pending and isinstance(event, Ended):
            self._searched.note(now, None, f"the call of who transfers is {event.why}, the transfer goes on")
        elif isinstance(event, Requested):
            event.leg.respond(event.transaction, event.request, 491, None, now)
        elif not self.pending:
            self._calling.owner = self._searched
            self._searched.handle(event, now)
            self._reconnect(now)

    # -- what the onward call says (Asking) ------------------------------------------------------------------------

    def ring(self, now: float) -> None:
        """Somebody rings."""
        super().ring(now)
        if self._still_calls and not self._calling.ringing:
            self._calling.ring(now)

    def invited(self, waiting: Waiting) -> Body:
        """Return what a queue offers to which the search has led: it speaks to the transferee, not to the referrer."""
        onward = self._searched
        before, onward.passage = onward.passage, self._switch.passage(self.transferee, self.party, None)
        try:
            body = super().invited(waiting)
        except SipError:
            onward.passage.close()
            onward.passage = before
            raise
        before.close()
        onward.leg = self.transferee
        return body

    def accept(self, body: Body | None, now: float) -> None:
        """Join the transferee with who has answered the referrer's offer; then take the offer that was asked for.

        Without a talk it is a queue that offers, where the transferee is to wait.
        """
        talk = self._searched.talk
        self._is_queue = self.target is None and talk is None
        if self.target is not None or talk is None:
            super().accept(body, now)
            return
        if self._searched.offer is None:  # it has made an offer, which is for the referrer
            talk.member.acknowledge(self._nothing(talk.member, body), now)
        else:
            self._answer = body
        try:
            self._lead(self, self._calling)
        except SipError as error:
            self._fail(error.status, now)
            return
        self._to_meet = self._may_meet()
        if self._to_meet:
            self._switch.arm(self, now)  # once the call is through with connecting
        else:
            self.ask_target(now)

    def _may_meet(self) -> bool:
        """Whether both sides hear who they talk to through the relay, and one is behind a PBX that may refuse changes.

        One that has made the offer is told where to send only by the answer.
        """
        assert self.target is not None
        talks, rings = self.call.passage, self._searched.passage
        behind = talks.behind_trunk(self.transferee) or rings.behind_trunk(self.target)
        return behind and talks.relayed and rings.relayed and self._answer is not None

    def tick(self, now: float) -> None:
        """Join both in the relay; else, or where one is to be asked again, ask."""
        if not (self._to_meet and self._met(now)):
            super().tick(now)

    def _met(self, now: float) -> bool:
        self._to_meet = False
        relay = self.call.passage.lend(self.transferee) if not self.call.errands.going_direct else None
        if relay is None or self.target is None:
            return False
        lent, _ = relay
        try:
            lent.meet(self._searched.passage, self.target)
        except SipError:
            take_back(self.call, lent, self.transferee)
            return False
        if self.passage is not None:
            self.passage.close()
        self._done(now)
        self.call.passage.let_go()
        self._replace_calling(now)
        self._replace_referrer(lent, now)
        return True

    # -- the end -----------------------------------------------------------------------------------------------------

    def _finish(self, event: Replied, now: float) -> None:
        self._replace_calling(now)
        super()._finish(event, now)

    def _replace_calling(self, now: float) -> None:
        if self._still_calls:
            self._calling.reject(_REPLACED, now, extra={"Reason": ELSEWHERE})

    def _fail(self, status: int, now: float, *, leave: bool = True) -> None:
        super()._fail(status, now, leave=leave)
        self._refuse_calling(status, now)

    def transferee_gone(self, now: float) -> None:
        """The transferee hung up: the call is the referrer's again, if it can have it."""
        super().transferee_gone(now)
        self._refuse_calling(480, now)

    def _refuse_calling(self, status: int, now: float) -> None:
        """Refuse the referrer's own call where that has ended, and not for the referrer."""
        if self._still_calls and self._calling.owner is self:
            self._calling.owner = None
            self._calling.reject(status, now)

    def _leave_onward(self, *, gave_up: bool, now: float) -> None:
        """Let the referrer have its own call, as far as it is still there."""
        onward = self._searched
        if onward.result is not None:
            return
        if onward.talk is not None:
            self._give_answer(onward, now)
        elif self._still_calls and onward.searching and not self._is_queue:
            self._give_back(onward)
        elif gave_up:
            onward.abandon(now)
        else:
            onward.hang_up(now)

    def _give_back(self, onward: Call) -> None:
        self._calling.owner = onward
        onward.seats.take(self._calling, self._before.line)
        onward.seats.seat(self._before, self._calling)

    def _give_answer(self, onward: Call, now: float) -> None:
        """Connect the referrer with who has answered its offer."""
        if not self._takes_answer(now):
            onward.hang_up(now)
            return
        self._give_back(onward)
        if self._unanswered is not None:  # who answered expects nothing to flow; it is told anew with the ACK
            self._calling.owner = self
            self._answer_target(now)

    def _takes_answer(self, now: float) -> bool:
        if not self._still_calls or self._answer is None:
            return False
        try:
            self._calling.accept(self._answer, now)
        except SipError:
            return False
        return True
