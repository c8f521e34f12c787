"""What a strategy is to the hunt: a plan that says, after each event, whom to offer the call next.

The plan only chooses. The hunt applies responses, keeps time, cancels, connects and ends, the same for all
plans; so what is promised of every hunt is kept in one place, and a further strategy is one more class with
these methods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.hunting.candidate import Candidate, State
from bridge.hunting.model import Look, Outcome


@dataclass(frozen=True, slots=True)
class Move:
    """What to do now: whom to offer the call, whom to come back to when, why the search is over if it is."""

    offer: Sequence[Candidate] = ()
    wait: Sequence[tuple[float, Candidate]] = ()
    over: str | None = None


STAY = Move()


class Plan(Protocol):
    """A strategy at work in one hunt. Made with every member in list order."""

    ring_for: float = math.inf
    """How long one offer may last, seconds."""

    def changed(self, candidate: Candidate) -> None:
        """Take note: a member without a live offer may have become available, or has been waited for."""

    def ended(self, candidate: Candidate, outcome: Outcome) -> None:
        """Take note: the member's live offer has ended, or was withdrawn."""

    def choose(self, now: float, look: Look, anyone_live: bool) -> Move:
        """Return the next move; called after every event that may ask for one."""


def why_not_yet(candidate: Candidate) -> str:
    """Return, for people, why a member who could be rung is not offered the call again yet."""
    if candidate.state is State.WITHDRAWN:
        return "the phone has not yet confirmed the end of its last offer"
    return "its last offer has only just ended"
