"""A transfer of somebody whose sound passes the relay: nobody but the number is asked.

| phase | the talk of before | the call to the number |
|---|---|---|
| SEEKING | its relay is lent: the transferee hears ringback, the referrer nothing | rings with its offer |
| DONE | ends; the referrer is hung up | has the relay: the transferee needs to be told nothing |
| FAILED | has its relay back, and goes on as it was, held or not | over |

So it works through PBXs that refuse every re-INVITE. The target of another talk of the referrer's (`RelayedJoin`) is
asked by re-INVITE with the transferee's offer; where that talk is relayed too, both relays become one, and nobody is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.onward.transfer import Transfer
from bridge.calls.passage import Passage, Way
from bridge.media.choice import Party
from bridge.media.prompts import MUSIC, RINGBACK
from bridge.media.voice import Voice
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.switch import Switch


class RelayedTransfer(Transfer):
    """`lent`: the passage of the call to the number, with the talk's relay; `voice`: ours to the transferee."""

    asks = False

    def __init__(
        self,
        switch: Switch,
        call: Call,
        referrer: Leg,
        transferee: Leg,
        told: Callable[[int], None] | None,
        lent: Passage,
        voice: Voice,
    ) -> None:
        super().__init__(switch, call, referrer, transferee, told)
        self.offer = voice.agreed
        self._lent = lent
        self._voice = voice

    def ring(self, now: float) -> None:
        """Let the transferee hear that it rings."""
        super().ring(now)
        self._voice.play((RINGBACK,), loop=True)

    def accept(self, body: Body | None, now: float) -> None:
        """Let go of the talk of before: the relay has taken the number in."""
        self._done(now)
        assert self.onward is not None
        line = self.call.seats.leave(self.transferee)
        self.call.passage.let_go()
        self.transferee.owner = self.onward
        self.onward.seats.take(self.transferee, line)
        self.call.transferred(self.referrer, now)

    def transferee_gone(self, now: float) -> None:
        """The transferee hung up: the relay closes with the talk."""
        if self.pending:
            self._lent.let_go()
        super().transferee_gone(now)

    def _fail(self, status: int, now: float, *, leave: bool = True) -> None:
        take_back(self.call, self._lent, self.transferee)
        super()._fail(status, now, leave=leave)


def take_back(call: Call, lent: Passage, transferee: Leg) -> None:
    """Let both sides of a talk hear each other as before the relay was lent, held or not."""
    lent.let_go()
    call.passage.reconnect()
    if call.errands.hold is not None and call.errands.hold.relayed:
        voice = call.passage.interrupt(transferee)
        if voice is not None:
            voice.play((MUSIC,), loop=True)


class RelayedJoin(RelayedTransfer):
    """The same to the target of another talk. `leaving`: the referrer's leg there."""

    def __init__(
        self,
        switch: Switch,
        call: Call,
        referrer: Leg,
        transferee: Leg,
        told: Callable[[int], None] | None,
        lent: Passage,
        voice: Voice,
        onward: Call,
        leaving: Leg,
        party: Party,
    ) -> None:
        super().__init__(switch, call, referrer, transferee, told, lent, voice)
        assert onward.talk is not None
        self.onward, self.leaving, self.target = onward, leaving, onward.talk.other(leaving)
        self._seat = party  # the target, as one to be reached
        self._way: Way | None = None

    def ask_target(self, now: float) -> None:
        """Let it meet the transferee in the relay, else ask it by re-INVITE."""
        assert self.onward is not None and self.target is not None
        try:
            if self._way is None and self._met(now):
                return
            if self._way is None:
                self._way = self._lent.way_to(self._seat)
                self._lent.rings(self.target, self._way)  # so that its ports are given back however this ends
        except SipError as error:
            self._fail(error.status, now)
            return
        self._ask(self.target, self._way.body, now)

    def _met(self, now: float) -> bool:
        assert self.onward is not None and self.target is not None
        try:
            self._lent.meet(self.onward.passage, self.target)
        except SipError:
            return False
        self._done(now)
        self.call.passage.let_go()
        self._replace_referrer(self._lent, now)
        return True

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the target's answer."""
        success = 200 <= event.status < 300
        if success:
            event.leg.acknowledge(None, now)
        if not self.pending:
            if success:
                self._reconnect(now)
        elif event.status == 491:
            self._ask_later(now)
        elif not success:
            self._fail(event.status, now)
        elif not self._answered(event):
            self._fail(488, now)
            self._reconnect(now)
        else:
            self._done(now)
            self.call.passage.let_go()
            self._replace_referrer(self._lent, now)

    def _answered(self, event: Replied) -> bool:
        assert self._way is not None
        self._lent.settle_on(event.leg)
        try:
            self._lent.answer(event.leg, event.body)
        except SipError:
            return False
        return True
