"""A transfer: one side of a talk (the referrer) asks that the other (the transferee) talk to somebody else.

REFER ends at the bridge (RFC 3515): it is answered here, its target is rung by a call of our own, and only media
move: the target's offer becomes a re-INVITE to the transferee (RFC 3725, flow I). To the call that rings the target
the transfer is what a caller's leg is to other calls: it is told that a phone rings, that it was answered, that nobody
took it.

| phase | blind: the target is a number | attended: the target is another talk of the referrer (Replaces) |
|---|---|---|
| SEEKING | a call without an offer rings the target, whose 200 brings one | a re-INVITE without an offer does |
| OFFERING | the offer goes to the transferee in a re-INVITE | the same |
| OFFERING | the target is a queue: our own offer goes to the transferee, who waits there from then on | – |
| DONE | the transferee's answer goes into the target's ACK, the referrer is hung up | the same, with both its legs |
| FAILED | all stays as it was; if the referrer is gone already, the transferee is hung up | the same |

The referrer is told each step by NOTIFY, and may hang up as soon as it has been heard. A target that still rings, since
the referrer is calling it, has a machine of its own (`early`); so has the queue where the referrer waits (`queued`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from bridge.calls.onward.outside import place_of
from bridge.calls.ordered.errand import Interruptible
from bridge.calls.ordered.holding import Reconnect
from bridge.calls.ordered.stillness import still
from bridge.calls.passage import Passage
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Replied
from bridge.sip.message import PHRASES, Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.queue.waiting import Waiting
    from bridge.calls.switch import Switch


PAUSE = 0.5  # seconds until a transferee who is just changing something itself is asked again
TRIES = 8


class Phase(Enum):
    """Where a transfer stands."""

    SEEKING = "seeking"
    OFFERING = "offering"
    DONE = "done"
    FAILED = "failed"


class Transfer(Interruptible):
    """One REFER. `call` is the talk of referrer and transferee; `onward` the call that the transferee goes to.

    `told`: of a transfer by command, for which nobody gets a NOTIFY: how it ended, as a status.
    """

    offer: Body | None = None  # the target makes the offer
    asks = True  # the transferee is asked by re-INVITE

    def __init__(
        self, switch: Switch, call: Call, referrer: Leg, transferee: Leg, told: Callable[[int], None] | None = None
    ) -> None:
        self.call = call
        self.referrer = referrer
        self.transferee = transferee
        self.party = call.seats.party_of(transferee)
        """The transferee, as who calls from now on."""
        self.onward: Call | None = None
        self.target: Leg | None = None  # attended: the target's leg, and
        self.leaving: Leg | None = None  # the referrer's leg to it
        self.passage: Passage | None = None  # how its media and the transferee's pass; of a blind one the onward call's
        self.phase = Phase.SEEKING
        self.referrer_gone = False
        self.ringing = False
        self.due: float | None = None
        self._switch = switch
        self._told = told
        self._waiting: Body | None = None  # the target's offer, as long as the transferee's side is being changed
        self._unanswered: Replied | None = None  # the 2xx of an attended target, whose offer nobody has answered
        self._tries = 0

    @property
    def pending(self) -> bool:
        """Whether it may still come about."""
        return self.phase in (Phase.SEEKING, Phase.OFFERING)

    def begin(self, now: float) -> None:
        """Ring the target, or ask the one of an attended transfer for an offer."""
        assert self.onward is not None
        self.onward.errands.add(self)
        if self.target is None:
            self._switch.begin(self.onward, now)
        else:
            self.ask_target(now)

    # -- what the onward call says (Asking) ------------------------------------------------------------------------

    def ring(self, now: float) -> None:
        """The target rings."""
        self.ringing = True
        self._notify(180, False, now)

    def accept(self, body: Body | None, now: float) -> None:
        """The target answered with an offer: it goes to the transferee."""
        self.phase = Phase.OFFERING
        if self.target is not None and self.passage is not None:
            try:
                body = self.passage.offer(self.target, body)
            except SipError as error:
                self._fail(error.status, now)
                return
        if body is None:
            self._fail(491, now)
        else:
            self._offer(body, now)

    def invited(self, waiting: Waiting) -> Body:
        """Return what the transferee is offered by a queue that is to speak to it. Raises `SipError`."""
        return waiting.invite(self.transferee)

    def ask_target(self, now: float) -> None:
        """Ask an attended transfer's target for an offer."""
        assert self.target is not None
        self._ask(self.target, None, now)

    def _offer(self, body: Body, now: float) -> None:
        """Ask the transferee to take the target's offer."""
        self._waiting = body
        self._ask(self.transferee, body, now)

    def _ask(self, leg: Leg, body: Body | None, now: float) -> None:
        """Send a re-INVITE; later, where that side or its peer is just changing something itself (RFC 3261 §14.1)."""
        self._tries += 1
        if not leg.request("INVITE", body, self, now, patient=True):
            self._ask_later(now)

    def _ask_later(self, now: float) -> None:
        if self._tries < TRIES:
            self._switch.arm(self, now + PAUSE)
        else:
            self._fail(491, now)

    def tick(self, now: float) -> None:
        """Ask again."""
        if self.phase is Phase.OFFERING and self._waiting is not None:
            self._offer(self._waiting, now)
        elif self.phase is Phase.SEEKING and self.target is not None:
            self.ask_target(now)

    def reject(self, status: int, now: float) -> None:
        """Nobody takes the call, which ends by itself."""
        if self.pending:
            self._fail(status, now, leave=False)

    def call_over(self, now: float) -> None:
        """The target's call ends: there is nobody to be transferred to."""
        if self.pending:
            self._fail(480, now)

    # -- what the legs say -----------------------------------------------------------------------------------------

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the target's offer (attended), or the transferee's answer."""
        success = 200 <= event.status < 300
        if not self.pending:
            if success:
                self._too_late(event, now)
        elif event.status == 491:
            self._ask_later(now)
        elif success and event.leg is self.target:
            self._tries = 0
            self._unanswered = event
            self.accept(event.body, now)
        elif success:
            self._finish(event, now)
        else:
            self._fail(event.status, now)

    def _too_late(self, event: Replied, now: float) -> None:
        """Acknowledge what came after all was over, and let those talk again whom it tore apart."""
        if event.leg is self.target:
            self._unanswered = event
            self._go_back(now)
        else:
            event.leg.acknowledge(None, now)
            self._talk_again(now)

    def _talk_again(self, now: float) -> None:
        """Let referrer and transferee hear each other again, since the latter has agreed to something else."""
        if self.call.result is None:
            Reconnect(self.call, self.referrer, self._switch.still_at, lambda why, at: None).begin(now)

    def transferee_gone(self, now: float) -> None:
        """The transferee hung up: there is nobody left to transfer."""
        if self.pending:
            self._stop()
            self._notify(487, True, now)
            self._leave_onward(gave_up=True, now=now)

    def _finish(self, event: Replied, now: float) -> None:
        self._done(now)
        onward, transferee = self.onward, self.transferee
        assert onward is not None
        transferee.acknowledge(None, now)
        if self.leaving is not None and self.target is not None:
            assert self.passage is not None
            try:
                body = self.passage.answer(transferee, event.body)
            except SipError:  # the target hears nothing, and its side may hang up
                body = None
            self.target.acknowledge(body, now)
            self._replace_referrer(self.passage, now)
            return
        line = self.call.seats.leave(transferee)
        if onward.talk is None:  # but a queue, where the transferee waits
            onward.arrived(event.body, line, now)
            self.call.transferred(self.referrer, now)
            return
        else:
            onward.talk.on_acknowledged(Acknowledged(transferee, event.body), now)
        transferee.owner = onward
        onward.seats.take(transferee, line)
        self.call.transferred(self.referrer, now)

    def _replace_referrer(self, passage: Passage, now: float) -> None:
        """Put the transferee where the referrer talks with the target."""
        onward, transferee = self.onward, self.transferee
        assert onward is not None and self.leaving is not None
        line = self.call.seats.leave(transferee)
        name = self._switch.name_of(self.party)
        if line is None and self.party.trunk is not None and onward.seats.is_member(self.leaving):
            line = place_of(self.party.trunk)  # the caller's channel was counted by the call that ends now
        onward.seats.exchange_side(self.leaving, transferee, self.party, name, passage, now)
        transferee.owner = onward
        onward.seats.take(transferee, line)
        self.call.transferred(self.referrer, now)

    def _done(self, now: float) -> None:
        self.phase = Phase.DONE
        if self.onward is not None:
            self.onward.errands.discard(self)
        self._notify(200, True, now)

    def _fail(self, status: int, now: float, *, leave: bool = True) -> None:
        self._stop()
        self._notify(status, True, now)
        if leave:
            self._leave_onward(gave_up=False, now=now)
        self.call.errands.transfer_failed(self, now)

    def _stop(self) -> None:
        """Ask nobody any more."""
        self.phase = Phase.FAILED
        self._switch.arm(self, None)
        if self.onward is not None:
            self.onward.errands.discard(self)
        if self.passage is not None:
            self.passage.close()

    def _leave_onward(self, *, gave_up: bool, now: float) -> None:
        """Let the target go, or talk on with the referrer; `gave_up`: because the transferee has."""
        assert self.onward is not None
        if self.target is not None:
            self._go_back(now)
        elif gave_up:
            self.onward.abandon(now)
        else:
            self.onward.hang_up(now)

    def _go_back(self, now: float) -> None:
        """Answer the offer of an attended target, and let it talk on with the referrer."""
        if self._unanswered is not None:
            self._answer_target(now)
            self._reconnect(now)

    def _answer_target(self, now: float) -> None:
        """Answer the offer of an attended target, so that nothing flows."""
        unanswered, self._unanswered = self._unanswered, None
        assert unanswered is not None
        unanswered.leg.acknowledge(self._nothing(unanswered.leg, unanswered.body), now)

    def _nothing(self, leg: Leg, offer: Body | None) -> Body | None:
        """Return the answer to an offer with which nothing flows."""
        try:
            return still(offer, *self._switch.still_at(leg))
        except SipError:  # what nobody can read has no right answer
            return None

    def _reconnect(self, now: float) -> None:
        if self.onward is not None and self.leaving is not None and self.onward.result is None:
            Reconnect(self.onward, self.leaving, self._switch.still_at, lambda why, at: None).begin(now)

    def _notify(self, status: int, over: bool, now: float) -> None:
        if self._told is None and not self.referrer_gone:
            self.referrer.notify_refer(status, PHRASES.get(status, "Failed"), over, now)
        elif self._told is not None and over:
            self._told(status)
