"""Queue: a caller whom we have answered waits until a member can be rung whom no earlier caller could take.

Nothing here ends the search but that nobody is left who could be rung (`leave_empty`); how long a caller waits at most
is the hunt's `give_up_after`. Members are looked at in the group's order, tier by tier: the next tier is tried when
nobody in the lower ones can be rung. With `ring_all` all of a tier ring at once, and who becomes free rings too.

How an offer ended decides for how long the member rests, and that holds for the callers of all queues (`floor`), while
`retry_after` is this caller's own. A member who is passed over for an earlier caller is `owed` to that one.
"""

from __future__ import annotations

from bridge.hunting.candidate import Candidate
from bridge.hunting.floor import Waiter
from bridge.hunting.model import Availability, End, Look, Outcome
from bridge.hunting.plan import STAY, Given, Move, why_not_yet


class Queued:
    """The plan of the strategy `queue`."""

    def __init__(self, given: Given) -> None:
        self.ring_for = given.rules.ring_seconds
        self._given = given
        self._queue = given.rules.queue
        self._floor = given.floor
        self._look: Look | None = None
        self._held = False
        self._manned = not given.rules.queue.join_empty  # whether somebody has been there since the caller came
        self._live: dict[str, Candidate] = {}
        self._waiter: Waiter | None = None
        self._by_name = {candidate.name: candidate for candidate in given.candidates}
        self._changed: dict[str, Candidate] | None = None  # whom alone there is news of; None: look at everybody
        self._told: set[str] = set()  # those of them of whom all who wait hear in turn
        self._delays = {
            Outcome.BUSY: self._queue.busy_delay,
            Outcome.DECLINED: self._queue.decline_delay,
            Outcome.NO_ANSWER: self._queue.no_answer_delay,
            Outcome.UNREACHABLE: self._queue.no_answer_delay,
            Outcome.DIVERTED: self._queue.no_answer_delay,
        }

    @property
    def waiter(self) -> Waiter | None:
        """The caller's place on the floor, None before the start and after the end."""
        return self._waiter

    def barred(self, now: float, look: Look) -> End | None:
        """Let nobody in where all places are taken, nor where nobody can be rung (unless `join_empty`)."""
        group, caller = self._given.group, self._given.caller
        most = self._queue.max_waiting
        if most is not None and self._floor.waiting(group) >= most and not self._floor.expected(group, caller, now):
            return End(486, f"{most} callers wait already")
        return End(480, "nobody can be rung") if not self._queue.join_empty and self._empty(look) else None

    def enter(self, now: float, look: Look) -> None:
        """Come to the floor."""
        self._look = look
        self._waiter = self._floor.join(self._given.group, self._given.caller, self._wants, now)

    def changed(self, candidate: Candidate, told: bool = True) -> None:
        """Look at this member."""
        if self._changed is not None:
            self._changed[candidate.name] = candidate
        if told:
            self._told.add(candidate.name)

    def ended(self, candidate: Candidate, outcome: Outcome, now: float) -> None:
        """Let the member rest."""
        self._live.pop(candidate.name, None)
        self._changed = None
        delay = self._delays.get(outcome)
        if delay is not None:
            self._floor.rest(candidate.name, delay, now)

    def held(self, held: bool) -> None:
        """Keep the place, and leave members to others meanwhile."""
        self._held = held
        self._changed = None

    def over(self, now: float, gave_up: bool) -> None:
        """Leave the floor."""
        if self._waiter is not None:
            self._floor.leave(self._waiter, now, self._queue.keep_place if gave_up else 0.0)
            self._waiter = None

    def choose(self, now: float, look: Look, anyone_live: bool) -> Move:
        """Offer the call to the next member, or to all of the next tier; go where nobody is left."""
        self._look = look
        news, self._changed = self._changed, {}
        told, self._told = self._told, set()
        if news is not None and not self._matters(news, look):
            return STAY
        if not anyone_live and self._queue.leave_empty and self._deserted(look):
            return Move(over="nobody can be rung any more")
        if anyone_live and not self._queue.ring_all:
            return STAY
        return self._pick(now, look, told if news is not None else set())

    def _matters(self, news: dict[str, Candidate], look: Look) -> bool:
        """Whether any of those with news can be rung, or has gone."""
        return any(seen is Availability.AVAILABLE or seen.absent for seen in map(look, news))

    def _deserted(self, look: Look) -> bool:
        """Whether everybody has gone; who came in although nobody was there waits for somebody to come."""
        empty = self._empty(look)
        self._manned = self._manned or not empty
        return empty and self._manned

    def _empty(self, look: Look) -> bool:
        return all(look(name).absent for name in self._by_name)

    def _pick(self, now: float, look: Look, told: set[str]) -> Move:
        """Return whom to offer the call, and whom of the others to come back to when."""
        offer: list[Candidate] = []
        wait: list[tuple[float, Candidate]] = []
        highest = max((c.tier for c in self._live.values()), default=None)
        for candidate in self._given.sorted():
            if candidate.live or (highest is not None and candidate.tier > highest):
                continue
            if self._judge(candidate, now, look, wait, candidate.name in told):
                offer.append(candidate)
                highest = candidate.tier
                self._live[candidate.name] = candidate
                self._given.grant(candidate)
                if not self._queue.ring_all:
                    break
        return Move(offer=offer, wait=wait)

    def _judge(
        self, candidate: Candidate, now: float, look: Look, wait: list[tuple[float, Candidate]], told: bool
    ) -> bool:
        """Return whether to offer the call now.

        `told`: there is news of the member, which all who wait hear in turn; else an earlier one may not know of it.
        """
        away = self._floor.away(candidate.name)
        seen = candidate.see(look)
        if seen is not Availability.AVAILABLE or away is not None:
            why = seen.value if seen is not Availability.AVAILABLE or away is None else away.value
            self._given.trace.passed_over(candidate, now, "not offered", why)
            return False
        if now < candidate.not_before:
            self._given.trace.passed_over(candidate, now, "not offered yet", why_not_yet(candidate))
            wait.append((candidate.not_before, candidate))
            return False
        assert self._waiter is not None
        if self._floor.earlier_wants(self._waiter, candidate.name, now):
            self._given.trace.passed_over(candidate, now, "not offered", "an earlier caller goes first")
            if not told:
                self._floor.owed.append(candidate.name)
            return False
        return True

    def _wants(self, member: str, now: float) -> bool:
        """Whether this caller would take a member now."""
        candidate = self._by_name.get(member)
        if candidate is None or self._look is None or self._held or candidate.live:
            return False
        if self._live and not (self._queue.ring_all and candidate.tier <= max(c.tier for c in self._live.values())):
            return False
        if self._floor.away(member) is not None or now < candidate.not_before:
            return False
        return self._look(member) is Availability.AVAILABLE
