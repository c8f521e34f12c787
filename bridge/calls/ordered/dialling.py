"""Dialling by command: the line's own phone first, then the number.

| state | what happens | then |
|---|---|---|
| RINGING | the line's phones are rung, offered our own voice, asked to answer by themselves | CALLING as one answers |
| RINGING | they refuse, or nobody answers in `RINGS` seconds | GONE: told as an event |
| CALLING | the number is called by a call of its own, the phone hears ringback as soon as it rings there | TALKING |
| CALLING | nobody takes that call | GONE: the phone is hung up |
| CALLING | the phone hangs up | GONE: the call is abandoned |
| TALKING | the relay has taken over; nothing here is heard any more | |

To the call that rings the number this is what a caller's leg is to others (`Asking`). Media pass the bridge, from the
ports that our voice has spoken from, so that the phone need not be told anything when the number answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from bridge.calls.call import Call
from bridge.calls.passage import Passage
from bridge.calls.spoken import Spoken
from bridge.media.prompts import RINGBACK
from bridge.sip.agenda import Agenda
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted, Ended, LegEvent, Progress, Rejected, Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg

RINGS = 30.0  # seconds that the line's own phone rings


class State(Enum):
    """Where it stands."""

    RINGING = "ringing"
    CALLING = "calling"
    TALKING = "talking"
    GONE = "gone"


class Dialling:
    """One number dialled for a line. `call` makes the call once the phone has answered, `failed` is told why not.

    `count` counts offers, rings and calls on the line, as others do who ring it.
    """

    def __init__(
        self,
        passage: Passage,
        agenda: Agenda,
        *,
        call: Callable[[Dialling, Leg, Passage, float], None],
        count: Callable[[int, int, int], None],
        failed: Callable[[str], None],
    ) -> None:
        self.state = State.RINGING
        self.ringing = False
        self.due: float | None = None
        self._passage = passage
        self._agenda = agenda
        self._make = call
        self._count = count
        self._failed = failed
        self._legs: list[OutgoingLeg] = []
        self._rings = False
        self._spoken: Spoken | None = None
        self._call: Call | None = None

    def begin(self, legs: Sequence[OutgoingLeg], now: float) -> None:
        """Take the legs that ring the line's phones."""
        self._legs = list(legs)
        for leg in self._legs:
            leg.owner = self
        self._count(1, 0, 0)
        self._agenda.arm(self, now + RINGS)

    def recount(self) -> None:
        """Count what rings anew, where nothing is counted yet."""
        if self.state is State.RINGING:
            self._count(1, 1 if self._rings else 0, 0)

    def stop(self, now: float) -> None:
        """Let the line's phones ring no more."""
        if self.state is State.RINGING:
            self._stop_ringing(now)
            self._leave("the bridge ends")

    # -- what the phone says -------------------------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of a phone's leg; once one has answered, of that one."""
        match event:
            case Progress(_, code, _) if code > 100 and self.state is State.RINGING and not self._rings:
                self._rings = True
                self._count(0, 1, 0)
            case Accepted(leg, body):
                assert isinstance(leg, OutgoingLeg)
                self._on_answer(leg, body, now)
            case Rejected(leg, status, phrase):
                self._on_refusal(leg, f"its phone said {status} {phrase}", now)
            case _ if self._spoken is not None and event.leg is self._spoken.leg:
                self._spoken.handle(event, now)

    def _on_refusal(self, leg: Leg, why: str, now: float) -> None:
        self._legs = [each for each in self._legs if each is not leg]
        if self.state is State.RINGING and not self._legs:
            self._uncount()
            self._leave(why)

    def _on_answer(self, leg: OutgoingLeg, body: Body | None, now: float) -> None:
        if self.state is not State.RINGING:
            leg.owner = None
            leg.hang_up(None, now)
            return
        self._uncount()
        for other in self._legs:
            if other is not leg:
                other.cancel(None, now)
        self._legs = []
        try:
            self._spoken = Spoken.answered(leg, self._passage, self, body, now)
        except SipError as error:
            leg.owner = None
            leg.hang_up(None, now)
            self._leave(f"its phone's answer cannot be used: {error}")
            return
        leg.owner = self
        self.state = State.CALLING
        self._agenda.arm(self, None)
        self._make(self, leg, self._passage, now)

    def take(self, call: Call) -> None:
        """Take the call that is made, before it begins: the phone stays ours until it is answered."""
        self._call = call
        if self._spoken is not None:
            self._spoken.leg.owner = self

    def _uncount(self) -> None:
        self._count(-1, -1 if self._rings else 0, 0)
        self._rings = False

    def tick(self, now: float) -> None:
        """Give up on a phone that nobody answers."""
        if self.state is State.RINGING:
            self._stop_ringing(now)
            self._leave("nobody has answered its phone")

    def _stop_ringing(self, now: float) -> None:
        self._uncount()
        for leg in self._legs:
            leg.cancel(None, now)

    def _leave(self, why: str) -> None:
        self.state = State.GONE
        self._agenda.arm(self, None)
        self._passage.close()
        self._failed(why)

    # -- what the call says (Asking) -----------------------------------------------------------------------------

    @property
    def offer(self) -> Body | None:
        """The phone's description."""
        return self._spoken.voice.agreed if self._spoken is not None else None

    def ring(self, now: float) -> None:
        """Let the phone hear that it rings there."""
        self.ringing = True
        if self._spoken is not None:
            self._spoken.voice.play((RINGBACK,), loop=True)

    def accept(self, body: Body | None, now: float) -> None:
        """Be silent: the relay has taken over."""
        self.state = State.TALKING
        if self._spoken is not None:
            self._spoken.voice.owner = None
            self._spoken.leg.owner = self._call

    def reject(self, status: int, now: float) -> None:
        """Hang up: nobody takes the call."""
        self._call = None
        if self.state is State.CALLING and self._spoken is not None:
            self.state = State.GONE
            self._spoken.hang_up(now)

    # -- what the phone does while it is spoken to (SpokenOwner) --------------------------------------------------

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Need no key."""

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Need no note."""

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:
        """Need no note."""

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Abandon the call: the phone has hung up."""
        call, self._call = self._call, None
        self.state = State.GONE
        self._agenda.arm(self, None)
        if call is not None:
            call.handle(event, now)
        else:
            self._passage.close()

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Refuse a transfer of what is no talk yet."""
        event.leg.respond(event.transaction, event.request, 491, None, now)
