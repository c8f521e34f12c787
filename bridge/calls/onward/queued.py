"""A transfer to a queue where the referrer waits already: the transferee gets the place.

| phase | what happens | then |
|---|---|---|
| OFFERING | our offer, at the ports where the referrer is spoken to, goes to the transferee | DONE with the answer |
| OFFERING | a member serves the referrer meanwhile | an attended transfer, as soon as the transferee has answered |
| OFFERING | the transferee refuses, or is gone | FAILED: the referrer waits on, unless it has hung up |
| DONE | the transferee hears the music and is served in turn; both legs of the referrer are hung up | |

The referrer may hang up as soon as its REFER is taken: nobody rings for it any more, but the place is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.onward.transfer import Phase, Transfer
from bridge.calls.switch import Switch
from bridge.media.choice import Party
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.queue.waiting import Waiting


class QueuedTransfer(Transfer):
    """`waiting`: the referrer in the queue of `onward`, on the leg `leaves`; `media`: the transferee's side of them."""

    def __init__(
        self,
        switch: Switch,
        call: Call,
        referrer: Leg,
        transferee: Leg,
        told: Callable[[int], None] | None,
        onward: Call,
        waiting: Waiting,
        leaves: Leg,
        media: Party,
        lead: Callable[[Transfer, Leg], None],
    ) -> None:
        super().__init__(switch, call, referrer, transferee, told)
        self.onward = onward
        self._queued = onward
        self._waiting_there = waiting
        self._leaves = leaves
        self._media = media
        self._lead = lead

    def begin(self, now: float) -> None:
        """Offer the transferee our voice."""
        self._queued.errands.add(self)
        self.phase = Phase.OFFERING
        try:
            self._offer(self._waiting_there.beckon(self.transferee, self._media), now)
        except SipError as error:
            self._fail(error.status, now)

    def _finish(self, event: Replied, now: float) -> None:
        if self.target is not None:
            super()._finish(event, now)
        elif self._queued.talk is not None:
            self._join(now)
        else:
            self._take_place(event, now)

    def _join(self, now: float) -> None:
        """Go on as an attended transfer: the queue has connected the referrer meanwhile."""
        self.transferee.acknowledge(None, now)
        try:
            self._lead(self, self._leaves)
        except SipError as error:
            self._fail(error.status, now)
            self._talk_again(now)
            return
        self.phase = Phase.SEEKING
        self._tries = 0
        self.ask_target(now)

    def _take_place(self, event: Replied, now: float) -> None:
        onward, transferee = self._queued, self.transferee
        transferee.acknowledge(None, now)
        try:
            if not onward.searching:
                raise SipError("nobody waits there any more", 480)
            self._waiting_there.admit(event.body, now)
        except SipError as error:
            self._fail(error.status, now)
            self._talk_again(now)
            return
        self._done(now)
        line = self.call.seats.leave(transferee)
        onward.seats.exchange_waiting(transferee, self.party, line)
        self.call.transferred(self.referrer, now)
        self._waiting_there.go_on(now)

    def _leave_onward(self, *, gave_up: bool, now: float) -> None:
        """Let the referrer wait on, or talk on with who serves it."""
        if self.target is not None:
            self._go_back(now)
        self._waiting_there.stay(now)
