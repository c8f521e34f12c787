"""Parallel: every available member rings at once, for as long as the hunt lasts.

A member is judged when there is something new about them: at the start, when their availability may have
changed, and `retry_after` after an offer that ended busy or unreachable. Nothing else is looked at again, so
the cost of an event does not grow with the group. Whoever declined or diverted the call has had it. When no
offer is live any more, the search is over at once: nobody waits for phones that do not ring.
"""

from __future__ import annotations

import math

from bridge.hunting.candidate import Candidate
from bridge.hunting.model import Availability, Look, Outcome
from bridge.hunting.plan import Given, Move, Unshared, why_not_yet

AGAIN = frozenset({Outcome.BUSY, Outcome.UNREACHABLE})
FINISHED = frozenset({Outcome.DECLINED, Outcome.DIVERTED})


class Parallel(Unshared):
    """The plan of the strategy `parallel`."""

    ring_for = math.inf

    def __init__(self, given: Given) -> None:
        self._given = given
        self._trace = given.trace
        self._to_judge = {candidate.name: candidate for candidate in given.candidates}
        self._to_rest: list[Candidate] = []
        self._finished: set[str] = set()

    def changed(self, candidate: Candidate, told: bool = True) -> None:
        """Judge the member in the next choice."""
        if candidate.name not in self._finished:
            self._to_judge[candidate.name] = candidate

    def ended(self, candidate: Candidate, outcome: Outcome, now: float) -> None:
        """Try busy and unreachable phones again later; who left is judged when back."""
        if outcome in FINISHED:
            self._finished.add(candidate.name)
        elif outcome in AGAIN:
            self._to_rest.append(candidate)

    def choose(self, now: float, look: Look, anyone_live: bool) -> Move:
        """Offer the call to all who are new and available; over when nobody is left to answer."""
        judged, self._to_judge = self._to_judge, {}
        resting, self._to_rest = self._to_rest, []
        offer = [c for c in judged.values() if not c.live and self._judge(c, now, look, resting)]
        return Move(
            offer=offer,
            wait=[(c.not_before, c) for c in resting],
            over=None if offer or anyone_live else "no phone is ringing any more",
        )

    def _judge(self, candidate: Candidate, now: float, look: Look, resting: list[Candidate]) -> bool:
        """Return whether to offer now."""
        if now < candidate.not_before:
            self._trace.passed_over(candidate, now, "not offered yet", why_not_yet(candidate))
            resting.append(candidate)
            return False
        seen = candidate.see(look)
        if seen is Availability.AVAILABLE:
            self._given.grant(candidate)
            return True
        self._trace.passed_over(candidate, now, "not offered", seen.value)
        return False
