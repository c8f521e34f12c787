"""The floor: what the hunts of all groups share, so that callers are served in turn and nobody is pestered.

A waiting caller, as the floor sees it:

| state | what ends it | then |
|---|---|---|
| waiting | a member can be rung and no earlier caller could take them | offered |
| waiting | hangs up | gone; the place is kept for `keep_place` |
| waiting | `max_wait`, nobody left, exit key | gone to the overflow |
| waiting | puts us on hold | held: keeps the place, is passed over |
| held | takes us off hold | waiting |
| offered | the member answers | connected, gone from the floor |
| offered | no answer, busy, declined | waiting, at the same place |
| offered | puts us on hold | held, the ringing stops |

And an agent, which is a member with all of their groups at once (what they are rung by and talk on is the line's):

| state | what ends it | then |
|---|---|---|
| free | offered a call, which ends unanswered | resting, for the delay that belongs to how it ended |
| free, resting | a queue's call that they took is over | wrap-up, for as long as that queue says |
| resting | the delay is over | free |
| wrap-up | the time is over, or they say that they are ready | free |

**First come, first served**, also for members of several groups: who is passed over for an earlier caller says so in
`owed`, and whoever waits at that member is then told of them in the order of the floor. Resting and wrap-up end by
`tick` alone, for everybody at once: so no later caller's own timer can get in before an earlier one is told.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bridge.hunting.estimate import Pace
from bridge.hunting.orders import Orders


@dataclass(slots=True, eq=False)
class Waiter:
    """A caller who waits. `since` is seconds, monotonic: when they came, or first came where the place was kept."""

    group: str
    caller: str
    since: float
    number: int
    wants: Callable[[str, float], bool]
    """Whether this caller would take a member at this time, earlier callers aside."""

    @property
    def turn(self) -> tuple[float, int]:
        """Who comes first among all who wait."""
        return self.since, self.number


class AgentState(Enum):
    """What keeps new calls of queues from a member; the words are shown to people."""

    RESTING = "resting after the last offer"
    WRAP_UP = "wrap-up"


class Floor:
    """Who waits, who rests, and the counters. Times are seconds, monotonic."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.pace = Pace()
        self.owed: list[str] = []  # members whom a caller left to an earlier one who may not know of them yet
        self._waiting: list[Waiter] = []  # in the order in which they are served
        self._count = 0
        self._away: dict[str, tuple[AgentState, float]] = {}  # member: what keeps calls away, until when
        self._places: dict[tuple[str, str], tuple[Waiter, float]] = {}  # group, caller: who left; kept until when

    # -- callers -----------------------------------------------------------------------------------------------

    def join(self, group: str, caller: str, wants: Callable[[str, float], bool], now: float) -> Waiter:
        """Let a caller wait; one who was here a moment ago gets the place back. `caller` "": nobody can tell who."""
        left, until = self._places.pop((group, caller), (None, -math.inf))
        self._count += 1
        since, number = left.turn if left is not None and until > now else (now, self._count)
        waiter = Waiter(group, caller, since, number, wants)
        insort(self._waiting, waiter, key=lambda each: each.turn)
        return waiter

    def leave(self, waiter: Waiter, now: float, keep: float = 0.0) -> None:
        """Let a caller go; one who gave up has the place kept for a while."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        self._places = {who: place for who, place in self._places.items() if place[1] > now}
        if keep > 0 and waiter.caller:
            self._places[waiter.group, waiter.caller] = waiter, now + keep

    def expected(self, group: str, caller: str, now: float) -> bool:
        """Whether a caller's place is kept."""
        return self._places.get((group, caller), (None, -math.inf))[1] > now

    @property
    def callers(self) -> int:
        """How many callers wait, of all groups."""
        return len(self._waiting)

    def waiting(self, group: str) -> int:
        """Return how many callers of a group wait."""
        return sum(waiter.group == group for waiter in self._waiting)

    def position(self, waiter: Waiter) -> int:
        """Return a caller's position among those of the same group, from 1."""
        return 1 + sum(each.group == waiter.group and each.turn < waiter.turn for each in self._waiting)

    def earlier_wants(self, waiter: Waiter, member: str, now: float) -> bool:
        """Whether an earlier caller, of whatever group, would take this member now."""
        for each in self._waiting:
            if each.turn >= waiter.turn:
                return False
            if each.wants(member, now):
                return True
        return False

    # -- agents ------------------------------------------------------------------------------------------------

    def rest(self, member: str, seconds: float, now: float) -> None:
        """Keep calls of queues from a member who has just not taken one."""
        self._keep_away(member, AgentState.RESTING, now + seconds, now)

    def wrap_up(self, member: str, seconds: float, now: float) -> None:
        """Keep calls of all groups from a member who still has to write something down."""
        self._keep_away(member, AgentState.WRAP_UP, now + seconds, now)

    def _keep_away(self, member: str, state: AgentState, until: float, now: float) -> None:
        """Take the later end of two; but a wrap-up is not made a rest, nor hidden by one."""
        before, ends = self._away.get(member, (AgentState.RESTING, now))
        wraps_up_now = before is not state
        if state is AgentState.RESTING and wraps_up_now:
            return
        if until > now and (wraps_up_now or until > ends):
            self._away[member] = state, until

    def ready(self, member: str) -> bool:
        """End a member's rest and wrap-up; return whether there was one."""
        return self._away.pop(member, None) is not None

    def away(self, member: str) -> AgentState | None:
        """Return what keeps calls of queues from a member; None: nothing."""
        found = self._away.get(member)
        return found[0] if found else None

    def wraps_up(self, member: str) -> float | None:
        """Return until when a member is in wrap-up, None where they are not."""
        found = self._away.get(member)
        return found[1] if found is not None and found[0] is AgentState.WRAP_UP else None

    def deadline(self) -> float | None:
        """Return when `tick` is due."""
        return min((until for _, until in self._away.values()), default=None)

    def tick(self, now: float) -> list[str]:
        """Let rests and wrap-ups end; return the members who are free again, in the order in which they became so."""
        over = sorted((until, member) for member, (_, until) in self._away.items() if until <= now)
        for _, member in over:
            del self._away[member]
        return [member for _, member in over]

    def take_owed(self) -> list[str]:
        """Return the members whom earlier callers are to be told of."""
        owed, self.owed = self.owed, []
        return owed
