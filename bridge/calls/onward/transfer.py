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

The referrer is told each step by NOTIFY, and may hang up as soon as it has been heard.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from bridge.calls.ordered.errand import Errand
from bridge.calls.passage import Passage
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Replied
from bridge.sip.message import PHRASES, Body

if TYPE_CHECKING:
    from bridge.calls.call import Call


PAUSE = 0.5  # seconds until a transferee who is just changing something itself is asked again
TRIES = 8


class Phase(Enum):
    """Where a transfer stands."""

    SEEKING = "seeking"
    OFFERING = "offering"
    DONE = "done"
    FAILED = "failed"


class Transfer(Errand):
    """One REFER. `call` is the talk of referrer and transferee; `onward` the call that the transferee goes to."""

    offer: Body | None = None  # the target makes the offer
    asks = True  # the transferee is asked by re-INVITE

    def __init__(self, call: Call, referrer: Leg, transferee: Leg) -> None:
        self.call = call
        self.referrer = referrer
        self.transferee = transferee
        self.onward: Call | None = None
        self.target: Leg | None = None  # attended: the target's leg, and
        self.leaving: Leg | None = None  # the referrer's leg to it
        self.passage: Passage | None = None  # how its media and the transferee's pass; of a blind one the onward call's
        self.phase = Phase.SEEKING
        self.referrer_gone = False
        self.ringing = False
        self.due: float | None = None
        self._waiting: Body | None = None  # the target's offer, as long as the transferee's side is being changed
        self._tries = 0

    @property
    def pending(self) -> bool:
        """Whether it may still come about."""
        return self.phase in (Phase.SEEKING, Phase.OFFERING)

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
        if not leg.request("INVITE", body, self, now):
            self._ask_later(now)

    def _ask_later(self, now: float) -> None:
        if self._tries < TRIES:
            self.transferee.ua.agenda.arm(self, now + PAUSE)
        else:
            self._fail(491, now)

    def tick(self, now: float) -> None:
        """Ask again."""
        if self.phase is Phase.OFFERING and self._waiting is not None:
            self._offer(self._waiting, now)
        elif self.phase is Phase.SEEKING and self.target is not None:
            self.ask_target(now)

    def reject(self, status: int, now: float) -> None:
        """Nobody takes the call."""
        if self.pending:
            self._fail(status, now)

    # -- what the legs say -----------------------------------------------------------------------------------------

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the target's offer (attended), or the transferee's answer."""
        if not self.pending:
            return
        success = 200 <= event.status < 300
        if event.status == 491:
            self._ask_later(now)
        elif success and event.leg is self.target:
            self._tries = 0
            self.accept(event.body, now)
        elif success:
            self._finish(event, now)
        else:
            self._fail(event.status, now)

    def transferee_gone(self, now: float) -> None:
        """The transferee hung up: there is nobody left to transfer."""
        if self.pending:
            self.phase = Phase.FAILED
            self.transferee.ua.agenda.arm(self, None)
            self._close_passage()
            if self.onward is not None and self.target is None:
                self.onward.abandon(now)
            self._notify(487, True, now)

    def _finish(self, event: Replied, now: float) -> None:
        self.phase = Phase.DONE
        self._notify(200, True, now)
        onward, transferee = self.onward, self.transferee
        assert onward is not None
        transferee.acknowledge(None, now)
        line = self.call.seats.leave(transferee)
        if self.leaving is not None and self.target is not None:
            assert self.passage is not None
            try:
                body = self.passage.answer(transferee, event.body)
            except SipError:  # the target hears nothing, and its side may hang up
                body = None
            self.target.acknowledge(body, now)
            onward.exchange_side(self.leaving, transferee, self.passage, now)
        elif onward.talk is None:  # but a queue, where the transferee waits
            onward.arrived(event.body, line, now)
            self.call.transferred(self.referrer, now)
            return
        else:
            onward.talk.on_acknowledged(Acknowledged(transferee, event.body), now)
        transferee.owner = onward
        onward.seats.take(transferee, line)
        self.call.transferred(self.referrer, now)

    def _fail(self, status: int, now: float) -> None:
        offering = self.phase is Phase.OFFERING
        self.phase = Phase.FAILED
        self.transferee.ua.agenda.arm(self, None)
        self._close_passage()
        self._notify(status, True, now)
        if offering and self.onward is not None:
            self.onward.hang_up(now)
        self.call.errands.transfer_failed(self, now)

    def _close_passage(self) -> None:
        if self.passage is not None:
            self.passage.close()

    def _notify(self, status: int, over: bool, now: float) -> None:
        if not self.referrer_gone:
            self.referrer.notify_refer(status, PHRASES.get(status, "Failed"), over, now)


class OrderedTransfer(Transfer):
    """A transfer by command: nobody has sent a REFER, so nobody gets a NOTIFY. `told`: how it ended, as a status."""

    def __init__(self, call: Call, referrer: Leg, transferee: Leg, told: Callable[[int], None]) -> None:
        super().__init__(call, referrer, transferee)
        self._told = told

    def _notify(self, status: int, over: bool, now: float) -> None:
        if over:
            self._told(status)
