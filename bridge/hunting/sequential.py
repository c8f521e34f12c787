"""Sequential: one phone at a time in the group's order, each for `ring_seconds`, round after round.

The plan is a place in the round, whose order is made when it begins. When no offer is live it moves on from there,
looking at each member afresh, until it finds one to offer the call, one to wait for, or the end of the round. So a
member who logs in is rung in this round if their place is still ahead, else in the next. A round in which no phone rang
is the last: whoever would be asked again has just shown that it leads nowhere.

Two waits are in it. Who could be rung but was rung a moment ago is waited for (`retry_after`). And a member
on a trunk that is full, while the offer just withdrawn may be what fills it, is waited for until that one's
final response frees the trunk: a trunk that takes one call would else never ring its second phone. Neither
wait lets a phone that has vanished hold up the others: a withdrawn offer without a final response is waited
for no longer than `retry_after` or `silent_after`, whichever is more.
"""

from __future__ import annotations

from bridge.hunting.candidate import Candidate, State
from bridge.hunting.model import Availability, Look, Outcome
from bridge.hunting.plan import STAY, Given, Move, Unshared, why_not_yet


class Sequential(Unshared):
    """The plan of the strategy `sequential`."""

    def __init__(self, given: Given) -> None:
        self.ring_for = given.rules.ring_seconds
        self._given = given
        self._rules = given.rules
        self._order = given.sorted()
        self._trace = given.trace
        self._place = 0  # the next to be judged
        self._round = 1
        self._rang = False  # whether a phone rang in this round
        self._latest: Candidate | None = None

    def changed(self, candidate: Candidate, told: bool = True) -> None:
        """Need no note: every choice looks afresh."""

    def ended(self, candidate: Candidate, outcome: Outcome, now: float) -> None:
        """Note whether the phone rang in this round."""
        self._rang = self._rang or candidate.rang_at is not None

    def choose(self, now: float, look: Look, anyone_live: bool) -> Move:
        """Move on to the next active member; over when the last round is."""
        if anyone_live:
            return STAY
        while True:
            while self._place < len(self._order):
                move = self._judge(self._order[self._place], now, look)
                if move is not None:
                    return move
                self._place += 1
            over = self._next_round(now)
            if over is not None:
                return Move(over=over)

    def _judge(self, candidate: Candidate, now: float, look: Look) -> Move | None:
        """Return an offer to the member whose turn it is, a wait, or None: skipped."""
        seen = candidate.see(look)
        awaited = self._awaited(candidate, seen)
        if awaited is not None and now < awaited[0]:
            why = seen.value if seen is Availability.TRUNK_FULL else why_not_yet(candidate)
            self._trace.passed_over(candidate, now, "waited for", why)
            return Move(wait=[awaited])
        if seen is Availability.AVAILABLE and now >= candidate.not_before:
            self._place += 1
            self._latest = candidate
            self._given.grant(candidate)
            return Move(offer=[candidate])
        why = why_not_yet(candidate) if seen is Availability.AVAILABLE else seen.value
        self._trace.passed_over(candidate, now, "skipped", why)
        return None

    def _awaited(self, candidate: Candidate, seen: Availability) -> tuple[float, Candidate] | None:
        """Return until when, and for whose offer, this member's turn is to be put off; None: no need to."""
        full = seen is Availability.TRUNK_FULL
        if candidate.state is State.WITHDRAWN and (full or seen.busy or seen is Availability.AVAILABLE):
            return self._grace(candidate)  # what is in the way may be nothing but our own offer
        if full and self._latest is not None and self._latest.state is State.WITHDRAWN:
            return self._grace(self._latest)
        if seen is Availability.AVAILABLE:
            return candidate.not_before, candidate
        return None

    def _grace(self, withdrawn: Candidate) -> tuple[float, Candidate]:
        return withdrawn.ended_at + max(self._rules.retry_after, self._rules.silent_after), withdrawn

    def _next_round(self, now: float) -> str | None:
        """Start over; or return why that would lead nowhere."""
        if not self._rang:
            return "no phone rang in this round"
        if self._round == self._rules.rounds:
            return f"rung {self._round} round{'s' if self._round > 1 else ''}"
        self._round += 1
        self._place = 0
        self._order = self._given.sorted()
        self._rang = False
        self._trace.whole(now, f"round {self._round}")
        return None
