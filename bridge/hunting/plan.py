"""What a strategy is to the hunt: a plan that says, after each event, whom to offer the call next.

The plan only chooses. The hunt applies responses, keeps time, cancels, connects and ends, the same for all
plans; so what is promised of every hunt is kept in one place, and a further strategy is one more class with
these methods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

from bridge.hunting.candidate import Candidate, State
from bridge.hunting.floor import Floor
from bridge.hunting.model import End, Look, Outcome
from bridge.hunting.rules import Rules
from bridge.hunting.trace import Trace


class Given(NamedTuple):
    """What a plan is made from: every member in list order, and what the hunts of all groups share.

    `group` and `caller` are names that the floor knows them by; a caller of "" is nobody known.
    """

    rules: Rules
    candidates: Sequence[Candidate]
    trace: Trace
    rng: Random
    floor: Floor
    group: str
    caller: str
    granted: list[str]  # whom this very step is about to offer the call

    def sorted(self) -> list[Candidate]:
        """Return the members in the order in which they are to be rung now."""
        return self.floor.orders.sort(self.group, self.rules.order, self.candidates, self.rng)

    def grant(self, candidate: Candidate) -> None:
        """Choose a member: from now on `look` counts this offer too, and the order remembers it."""
        self.granted.append(candidate.name)
        self.floor.orders.offered(self.group, candidate.name)


@dataclass(frozen=True, slots=True)
class Move:
    """What to do now: whom to offer the call, whom to come back to when, why the search is over if it is."""

    offer: Sequence[Candidate] = ()
    wait: Sequence[tuple[float, Candidate]] = ()
    over: str | None = None


STAY = Move()


class Plan(Protocol):
    """A strategy at work in one hunt."""

    ring_for: float = math.inf
    """How long one offer may last, seconds."""

    def barred(self, now: float, look: Look) -> End | None:
        """Return why the caller cannot even come in, None where there is nothing against it; asked before Start."""

    def enter(self, now: float, look: Look) -> None:
        """Take note: the hunt begins."""

    def changed(self, candidate: Candidate, told: bool = True) -> None:
        """Take note: a member without a live offer may have become available, or has been waited for.

        `told`: all who wait for the member hear of it, and not this caller alone.
        """

    def ended(self, candidate: Candidate, outcome: Outcome, now: float) -> None:
        """Take note: the member's live offer has ended, or was withdrawn."""

    def choose(self, now: float, look: Look, anyone_live: bool) -> Move:
        """Return the next move; called after every event that may ask for one."""

    def held(self, held: bool) -> None:
        """Take note: the caller has put us on hold, or took us off it."""

    def over(self, now: float, gave_up: bool) -> None:
        """Take note: the hunt is over; `gave_up`: by the caller."""


class Unshared:
    """What plans have in common whose callers do not wait in a queue."""

    def barred(self, now: float, look: Look) -> End | None:
        """Let everybody in."""
        return None

    def enter(self, now: float, look: Look) -> None:
        """Need no note."""

    def held(self, held: bool) -> None:
        """Need no note: the hunt itself asks for no move meanwhile."""

    def over(self, now: float, gave_up: bool) -> None:
        """Need no note."""


def why_not_yet(candidate: Candidate) -> str:
    """Return, for people, why a member who could be rung is not offered the call again yet."""
    if candidate.state is State.WITHDRAWN:
        return "the phone has not yet confirmed the end of its last offer"
    return "its last offer has only just ended"
