"""A phone behind a PBX that was picked up: only who presses 1 there takes the call, so that no mailbox wins.

| what happens | then |
|---|---|
| the phone answers | "press 1 to take the call", again and again; the others ring on, the caller hears no change |
| 1 | it is the answer that the hunt waits for |
| it hangs up, or presses nothing in time | no answer |
| somebody else was faster, the caller gave up | it is hung up |

What it hears comes from ports of its own, which become the call's as it takes it (`Passage.way_apart`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.calls.spoken import Spoken
from bridge.media.prompts import SILENCE, Prompt
from bridge.sip.legevents import Ended, Requested
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.fork import Fork
    from bridge.calls.passage import Passage
    from bridge.sip.outgoing import OutgoingLeg

TAKE = "1"


class Confirmed(Protocol):
    """Who is told whether the call was taken: the call."""

    def confirmed(self, fork: Fork, now: float) -> None:
        """Take note that 1 was pressed."""

    def unconfirmed(self, fork: Fork, now: float) -> None:
        """Take note that the phone was hung up."""


class Confirming:
    """One such phone. `body` is its answer, which is needed again when it takes the call."""

    def __init__(self, call: Confirmed, fork: Fork, leg: OutgoingLeg, body: Body | None) -> None:
        self.leg = leg
        self.body = body
        self._call = call
        self._fork = fork
        self._over = False
        self._spoken: Spoken | None = None

    def begin(self, apart: Passage, now: float) -> None:
        """Ask who is there. Raises `SipError` where the phone has answered with nothing that we speak."""
        self._spoken = Spoken.answered(self.leg, apart, self, self.body, now)
        self._spoken.voice.play([Prompt.PRESS_1, SILENCE, SILENCE], loop=True)

    def hang_up(self, reason: str | None, now: float) -> None:
        """End it; nothing more is told."""
        self._over = True
        self.leg.owner = None
        if self._spoken is not None:
            self._spoken.close()
            self._spoken.voice.owner = None
        self.leg.hang_up(reason, now)

    # -- what the leg and the voice say --------------------------------------------------------------------------------

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Take the call with 1; whoever presses something else is asked on."""
        if key == TAKE and not self._over:
            self._over = True
            spoken.voice.owner = None
            self._call.confirmed(self._fork, now)

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Need no note: it is played for ever."""

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:
        """Need no note: who holds us presses nothing."""

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Tell that nobody took the call here."""
        if not self._over:
            self._over = True
            self._call.unconfirmed(self._fork, now)

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Refuse what is for talks."""
        event.leg.respond(event.transaction, event.request, 403, None, now)
