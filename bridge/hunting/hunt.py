"""The search for a member for one call: a pure machine on virtual time.

A hunt has two levels. Each member's offer runs through the table in `candidate.py`; the hunt as a whole runs
through `PHASES`: idle, hunting, and then either connected or ended, which it never leaves. The strategy is a
`Plan` that only chooses whom to offer the call next; what holds for every hunt is kept here, whatever the
plan says:

- `Connect` is said once at the most, and then every other live offer is withdrawn;
- an answer that comes from a withdrawn offer, or after the search is over, is released;
- nobody has two offers open at once, nor a new one before `not_before`;
- a live offer without any response ends after `silent_after`, one that was picked up and not confirmed after
  `confirm_after`, the whole search after `give_up_after`;
- while a caller whom we have answered holds us, nobody rings.

Time is what the event says. Only `Tick` ends what has lasted too long, so an answer that is told before the
tick of the same instant has won; but no event offers the call to anybody once the give-up time has come. A
caller who has gone needs no `End`: the call that told us knows, and gets the withdrawals only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from random import Random

from bridge.directory.model import Strategy
from bridge.hunting.alarms import Alarms
from bridge.hunting.candidate import Candidate, State, Step
from bridge.hunting.floor import Floor, Waiter
from bridge.hunting.model import (
    Answered,
    CallerGone,
    CallerHolds,
    Connect,
    Decision,
    End,
    Enough,
    HuntCommand,
    HuntEvent,
    Look,
    MemberChanged,
    Offer,
    Outcome,
    Phase,
    PickedUp,
    Refused,
    Release,
    Responded,
    Result,
    Start,
    Taken,
    Tick,
    Withdraw,
    Withdrawal,
)
from bridge.hunting.outcome import outcome_of
from bridge.hunting.parallel import Parallel
from bridge.hunting.plan import Given, Plan
from bridge.hunting.queue import Queued
from bridge.hunting.rules import Rules
from bridge.hunting.sequential import Sequential
from bridge.hunting.trace import Trace
from bridge.hunting.verdict import verdict


class Turn(Enum):
    """What takes a hunt from one phase to the next."""

    START = "start"
    ANSWER = "answer"
    EXHAUSTED = "exhausted"  # or given up
    CALLER_GONE = "caller gone"


PHASES: Mapping[Phase, Mapping[Turn, Phase]] = {
    Phase.IDLE: {Turn.START: Phase.HUNTING, Turn.CALLER_GONE: Phase.ENDED},
    Phase.HUNTING: {
        Turn.ANSWER: Phase.CONNECTED,
        Turn.EXHAUSTED: Phase.ENDED,
        Turn.CALLER_GONE: Phase.ENDED,
    },
    Phase.CONNECTED: {},
    Phase.ENDED: {},
}

PLANS: Mapping[Strategy, Callable[[Given], Plan]] = {
    Strategy.PARALLEL: Parallel,
    Strategy.SEQUENTIAL: Sequential,
    Strategy.QUEUE: Queued,
}


class Hunt:
    """One call's hunt through the members of one group, who are given by name in list order.

    `rng` is what plans draw lots from, `tiers` each member's tier where it is not 0. `floor` is what this hunt shares
    with all others, `group` and `caller` what it is known by there. Raises ValueError for a strategy that `PLANS` does
    not have.
    """

    def __init__(
        self,
        rules: Rules,
        members: Sequence[str],
        rng: Random,
        *,
        tiers: Mapping[str, int] | None = None,
        floor: Floor | None = None,
        group: str = "",
        caller: str = "",
    ) -> None:
        if rules.strategy not in PLANS:
            raise ValueError(f"no hunt for strategy {rules.strategy.value!r}; known: {', '.join(PLANS)}")
        self.rules = rules
        self.phase = Phase.IDLE
        self.result: Result | None = None
        self.winner: str | None = None
        self._beside = False  # the winner has picked up at another phone than those that were rung
        self._trace = Trace()
        tier = tiers or {}
        names = dict.fromkeys(members)
        self._candidates = {name: Candidate(name, place, tier.get(name, 0)) for place, name in enumerate(names)}
        self._live: dict[str, Candidate] = {}
        self._alarms = Alarms()
        every = list(self._candidates.values())
        self.granted: list[str] = []  # whom this step is about to offer the call; `look` is to count them
        given = Given(rules, every, self._trace, rng, floor or Floor(), group, caller, self.granted)
        self._plan = PLANS[rules.strategy](given)
        self._give_up_at = math.inf
        self._held = False
        self._said: list[HuntCommand] = []

    # -- what the call sees ------------------------------------------------------------------------

    @property
    def trace(self) -> list[Decision]:
        """All decisions so far, in order."""
        return self._trace.decisions

    @property
    def ringing(self) -> tuple[str, ...]:
        """Members whose phones ring (a 18x came), in the order of their offers."""
        return tuple(name for name, c in self._live.items() if c.state is State.RINGING)

    def deadline(self) -> float | None:
        """Return when the next `Tick` is due, seconds, monotonic; None unless hunting, or where only events help."""
        if self.phase is not Phase.HUNTING:
            return None
        due = min(self._give_up_at, self._alarms.first())
        return due if due < math.inf else None

    def barred(self, now: float, look: Look) -> End | None:
        """Return why the caller cannot even come in; to be asked before Start, and before anything is answered."""
        return self._plan.barred(now, look)

    @property
    def waiter(self) -> Waiter | None:
        """The caller's place on the floor while they wait in a queue, None for all others."""
        return self._plan.waiter if isinstance(self._plan, Queued) else None

    def receive(self, event: HuntEvent, now: float, look: Look) -> list[HuntCommand]:
        """Apply one event; return what is to be done, in order.

        Never raises for an unknown member or an event out of order: nothing comes of those. Whoever is `granted` is
        offered the call before this returns, so a `look` that counts them keeps the limits of trunks and shared lines.
        """
        self.granted.clear()
        match event:
            case Responded():
                self._responded(event, now)
            case Refused():
                self._refused(event, now, look)
            case Answered():
                self._answered(event, now)
            case MemberChanged():
                self._changed(event, now, look)
            case Tick():
                self._tick(now, look)
            case PickedUp():
                self._picked_up(event, now)
            case CallerHolds(held):
                self._caller_holds(held, now, look)
            case Enough(why):
                self._enough(why, now, look)
            case Start():
                self._start(now, look)
            case CallerGone():
                self._caller_gone(now)
            case Taken():
                self._taken(event, now)
        said, self._said = self._said, []
        return said

    # -- one method per event ----------------------------------------------------------------------

    def _start(self, now: float, look: Look) -> None:
        if not self._turn(Turn.START):
            return
        self._give_up_at = now + self.rules.give_up_after
        size = len(self._candidates)
        self._trace.whole(now, "started", f"{self.rules.strategy.value}, {size} in the group")
        self._plan.enter(now, look)
        self._pursue(now, look)

    def _responded(self, event: Responded, now: float) -> None:
        candidate = self._candidates.get(event.member)
        if candidate is None or not candidate.take(Step.RING if event.ringing else Step.TRYING):
            return
        if event.ringing:
            candidate.rang_at = now
            self._trace.about(candidate, now, "ringing")
        self._alarms.set(candidate, candidate.asked_at + self._plan.ring_for)

    def _picked_up(self, event: PickedUp, now: float) -> None:
        candidate = self._candidates.get(event.member)
        if candidate is None or not candidate.take(Step.PICK_UP):
            return
        self._trace.about(candidate, now, "picked up", "has to press 1 to take the call")
        self._alarms.set(candidate, now + self.rules.confirm_after)

    def _refused(self, event: Refused, now: float, look: Look) -> None:
        candidate = self._candidates.get(event.member)
        if candidate is None:
            return
        was_live = candidate.live
        if not self._final(candidate, now):
            return
        if was_live:
            outcome = event.outcome or outcome_of(event.status)
            candidate.busy = outcome is Outcome.BUSY
            heard = "" if candidate.rang_at is None else f", {candidate.rang(now)}"
            said = f"SIP {event.status}" if event.outcome is None else "picked up, but did not take the call"
            self._trace.about(candidate, now, outcome.value, f"{said}{heard}")
            self._drop(candidate, outcome, now)
        self._pursue(now, look)

    def _answered(self, event: Answered, now: float) -> None:
        """Connect or release; a further answer of the winner is the leg's affair (retransmitted, forked)."""
        candidate = self._candidates.get(event.member)
        if candidate is None or (event.member == self.winner and not self._beside):
            return
        won = candidate.live and self._turn(Turn.ANSWER)
        self._final(candidate, now)
        if not won:
            self._said.append(Release(candidate.name))
            self._trace.about(candidate, now, "released", "answered too late")
            return
        self.winner = candidate.name
        self.result = Result.ANSWERED
        del self._live[candidate.name]
        self._said.append(Connect(candidate.name))
        self._trace.about(candidate, now, Outcome.ANSWERED.value, candidate.rang(now))
        self._withdraw_all(Withdrawal.ELSEWHERE, now)
        self._plan.over(now, gave_up=False)

    def _changed(self, event: MemberChanged, now: float, look: Look) -> None:
        candidate = self._candidates.get(event.member)
        if candidate is None or self.phase is not Phase.HUNTING:
            return
        if candidate.live:
            seen = look(candidate.name)
            if not seen.stops_ringing:
                return
            self._withdraw(candidate, Withdrawal.UNAVAILABLE, now, Outcome.WITHDRAWN.value, seen.value)
            self._drop(candidate, Outcome.WITHDRAWN, now)
        else:
            self._plan.changed(candidate)
        self._pursue(now, look)

    def _tick(self, now: float, look: Look) -> None:
        if self.phase is not Phase.HUNTING:
            return
        for candidate in self._alarms.due(now):
            self._ring_out(candidate, now)
        self._pursue(now, look)

    def _caller_gone(self, now: float) -> None:
        if self._turn(Turn.CALLER_GONE):
            self.result = Result.ABANDONED
            self._withdraw_all(Withdrawal.CALLER_GONE, now)
            self._plan.over(now, gave_up=True)
            self._trace.whole(now, "ended", Withdrawal.CALLER_GONE.value)

    def _taken(self, event: Taken, now: float) -> None:
        if self._turn(Turn.ANSWER):
            self.winner = event.by
            self._beside = True
            self.result = Result.ANSWERED
            self._trace.whole(now, "picked up", event.by)
            self._withdraw_all(Withdrawal.ELSEWHERE, now)
            self._plan.over(now, gave_up=False)

    def _caller_holds(self, held: bool, now: float, look: Look) -> None:
        """Stop the phones of a caller who would not hear who answers; go on afterwards."""
        if self.phase not in (Phase.IDLE, Phase.HUNTING) or held is self._held:
            return
        self._held = held
        self._plan.held(held)
        self._trace.whole(now, "held by the caller" if held else "taken off hold")
        if held:
            for candidate in list(self._live.values()):
                self._withdraw(candidate, Withdrawal.HELD, now, Outcome.WITHDRAWN.value, Withdrawal.HELD.value)
                self._drop(candidate, Outcome.WITHDRAWN, now)
        else:
            for candidate in self._candidates.values():
                self._plan.changed(candidate, told=False)
        self._pursue(now, look)

    def _enough(self, why: str, now: float, look: Look) -> None:
        if self.phase is Phase.HUNTING:
            self._end(why, now, look)

    # -- what they have in common ------------------------------------------------------------------

    def _turn(self, turn: Turn) -> bool:
        """Go to the next phase if the table has one; return whether it has."""
        phase = PHASES[self.phase].get(turn)
        if phase is None:
            return False
        self.phase = phase
        return True

    def _pursue(self, now: float, look: Look) -> None:
        """Let the plan go on, or give up when the time is over."""
        if self.phase is not Phase.HUNTING:
            return
        if now >= self._give_up_at:
            self._end(f"nobody answered in {self.rules.give_up_after:g} s", now, look)
            return
        if self._held:
            return
        move = self._plan.choose(now, look, bool(self._live))
        for candidate in move.offer:
            self._offer(candidate, now)
        for at, candidate in move.wait:
            self._alarms.set(candidate, at)
        if move.over is not None:
            self._end(move.over, now, look)

    def _offer(self, candidate: Candidate, now: float) -> None:
        candidate.offer(now)
        self._live[candidate.name] = candidate
        self._alarms.set(candidate, now + min(self.rules.silent_after, self._plan.ring_for))
        self._said.append(Offer(candidate.name))
        self._trace.about(candidate, now, "offered")

    def _final(self, candidate: Candidate, now: float) -> bool:
        """Take a final response; who waits for the next offer need not wait for this one's end any longer."""
        waits = not candidate.live and candidate.alarm != math.inf
        if not candidate.take(Step.FINAL):
            return False
        candidate.rest(now, self.rules.retry_after)
        if waits:
            self._alarms.set(candidate, candidate.not_before)
        return True

    def _ring_out(self, candidate: Candidate, now: float) -> None:
        """Attend to an alarm: a silent phone, a phone that has rung long enough, or a wait that is over."""
        if not candidate.live:
            self._plan.changed(candidate, told=False)
        elif candidate.state is State.ASKED and now >= candidate.asked_at + self.rules.silent_after:
            silence = f"no response in {self.rules.silent_after:g} s"
            self._withdraw(candidate, Withdrawal.SILENT, now, Outcome.UNREACHABLE.value, silence)
            self._drop(candidate, Outcome.UNREACHABLE, now)
        else:
            self._withdraw(candidate, Withdrawal.TIMER, now, Outcome.NO_ANSWER.value, candidate.rang(now))
            self._drop(candidate, Outcome.NO_ANSWER, now)

    def _withdraw(self, candidate: Candidate, why: Withdrawal, now: float, what: str, reason: str) -> None:
        """Take a live offer back; the next waits for its final response, or until none can come any more."""
        candidate.take(Step.WITHDRAW)
        candidate.rest(now, max(self.rules.release_after, self.rules.retry_after))
        self._said.append(Withdraw(candidate.name, why))
        self._trace.about(candidate, now, what, reason)

    def _withdraw_all(self, why: Withdrawal, now: float) -> None:
        for candidate in self._live.values():
            self._withdraw(candidate, why, now, Outcome.WITHDRAWN.value, why.value)
        self._live.clear()

    def _drop(self, candidate: Candidate, outcome: Outcome, now: float) -> None:
        """Take an offer that is no longer live out of the books."""
        del self._live[candidate.name]
        self._alarms.set(candidate, math.inf)
        self._plan.ended(candidate, outcome, now)

    def _end(self, why: str, now: float, look: Look) -> None:
        """End without an answer."""
        self._turn(Turn.EXHAUSTED)
        self._withdraw_all(Withdrawal.GIVE_UP, now)
        self._plan.over(now, gave_up=False)
        self.result, end = verdict(self._candidates.values(), look, why)
        if self.rules.strategy is Strategy.QUEUE:  # whose callers have waited: why they go is more than who was busy
            end = End(480, why)
        self._said.append(end)
        self._trace.whole(now, "ended", end.why)
