"""One member as one hunt sees them: a place in the list and the little machine of the latest offer.

An offer is *asked* (sent, nothing heard), *heard* (a 100 or any other sign of life), *ringing* (a 18x), perhaps *picked
up* (answered by somebody who has still to press 1), and ends by a final response, which makes the member free again. We
may end it too: but a CANCEL is only a wish, and until the final response comes (487, or the 200 that crossed it) the
offer is *withdrawn*, neither live nor over, and the member is not offered the call a second time. What the table does
not list changes nothing, so events out of order are harmless.

Times are seconds, monotonic; `math.inf` as an alarm: none is set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bridge.hunting.model import Availability, Look


class State(Enum):
    """Where a member's latest offer stands."""

    FREE = "free"  # never offered, or its last offer has ended
    ASKED = "asked"
    HEARD = "heard"
    RINGING = "ringing"
    PICKED_UP = "picked up"
    WITHDRAWN = "withdrawn"

    __hash__ = object.__hash__  # by identity, as they are compared; Enum's own hashes the name in Python


class Step(Enum):
    """What can happen to an offer."""

    OFFER = "offer"
    TRYING = "trying"
    RING = "ring"
    PICK_UP = "pick up"
    WITHDRAW = "withdraw"
    FINAL = "final"

    __hash__ = object.__hash__


TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    State.FREE: {Step.OFFER: State.ASKED},
    State.ASKED: {
        Step.TRYING: State.HEARD,
        Step.RING: State.RINGING,
        Step.PICK_UP: State.PICKED_UP,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.FINAL: State.FREE,
    },
    State.HEARD: {
        Step.RING: State.RINGING,
        Step.PICK_UP: State.PICKED_UP,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.FINAL: State.FREE,
    },
    State.RINGING: {Step.PICK_UP: State.PICKED_UP, Step.WITHDRAW: State.WITHDRAWN, Step.FINAL: State.FREE},
    State.PICKED_UP: {Step.WITHDRAW: State.WITHDRAWN, Step.FINAL: State.FREE},
    # OFFER: its final response never came; `not_before` has seen to it that it is no longer awaited
    State.WITHDRAWN: {Step.FINAL: State.FREE, Step.OFFER: State.ASKED},
}

LIVE = frozenset({State.ASKED, State.HEARD, State.RINGING, State.PICKED_UP})


@dataclass(slots=True, eq=False)
class Candidate:
    """A member of the group during one hunt."""

    name: str
    place: int  # in list order, from 0
    tier: int = 0
    state: State = State.FREE
    live: bool = False  # offered, and neither ended nor withdrawn
    asked_at: float = -math.inf
    rang_at: float | None = None  # first 18x of the latest offer
    ended_at: float = -math.inf  # refused, withdrawn, or the final response after that
    not_before: float = -math.inf  # no offer earlier than this
    alarm: float = math.inf
    busy: bool | None = None  # the latest that is known: busy, or not; None: nothing yet
    skipped: str | None = None  # why not offered, as last written into the trace

    def take(self, step: Step) -> bool:
        """Apply one step of the table; return whether it changed anything."""
        after = TRANSITIONS[self.state].get(step)
        if after is None:
            return False
        self.state = after
        self.live = after in LIVE
        return True

    def offer(self, now: float) -> None:
        """Open an offer."""
        self.take(Step.OFFER)
        self.asked_at = now
        self.rang_at = None
        self.busy = False
        self.skipped = None

    def rest(self, now: float, seconds: float) -> None:
        """Note that the offer ended now and that the next comes `seconds` later at the earliest."""
        self.ended_at = now
        self.not_before = now + seconds

    def see(self, look: Look) -> Availability:
        """Look whether the member can be rung, and remember whether they were found busy."""
        seen = look(self.name)
        ours = seen.busy and self.state is State.WITHDRAWN  # busy, but maybe with nothing but our own offer
        if seen is not Availability.AVAILABLE and not ours:
            self.busy = None if seen.out else seen.busy
        return seen

    def rang(self, now: float) -> str:
        """Return, for people, how long the latest offer has rung."""
        return "did not ring" if self.rang_at is None else f"rang {now - self.rang_at:.1f} s"
