"""A blind transfer of a caller whose sound passes the relay: nobody but the number is asked.

| phase | the talk of before | the call to the number |
|---|---|---|
| SEEKING | its relay is lent: the transferee hears ringback, the referrer nothing | rings with its offer |
| DONE | ends; the referrer is hung up | has the relay: the transferee needs to be told nothing |
| FAILED | has its relay back, and goes on as it was, held or not | over |

So it works through PBXs that refuse every re-INVITE. A member who is to be transferred is asked as ever (`transfer`):
what the relay can hand on is the caller's side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.onward.transfer import Transfer
from bridge.calls.passage import Passage
from bridge.media.prompts import MUSIC, RINGBACK
from bridge.media.voice import Voice
from bridge.sip.leg import Leg
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
        self._lent.let_go()
        self.call.passage.reconnect()
        if self.call.errands.hold is not None and self.call.errands.hold.relayed:
            voice = self.call.passage.interrupt(self.transferee)
            if voice is not None:
                voice.play((MUSIC,), loop=True)
        super()._fail(status, now, leave=leave)
