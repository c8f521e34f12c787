"""In which order the members of a group are rung, and the counters that the orders go by.

| order | who comes first |
|---|---|
| listed | as in the configuration |
| round-robin | who follows, in the list, on the member who was last offered a call of this group |
| longest-idle | whose last call of any group ended first; who has had none yet comes before that |
| fewest-calls | who has taken the fewest calls of all groups today; until the day's first call yesterday's count |
| random | lots are drawn anew each time |

A tier goes before any order, and what the order leaves open the list decides. No clock is in it: "ended first" is a
number that rises, so that a restart, or a clock that is set, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

from bridge.directory.model import Order
from bridge.hunting.candidate import Candidate


class Orders:
    """The counters of all groups and members; `touched` says that there is something new to be kept."""

    def __init__(self) -> None:
        self.touched = False
        self._last: dict[str, str] = {}  # group: who was last offered a call
        self._ended: dict[str, int] = {}  # member: when the last call ended, as a number that rises
        self._taken: dict[str, int] = {}  # member: calls taken on `_day`
        self._day = ""
        self._ends = 0

    # -- what happens ------------------------------------------------------------------------------------------

    def offered(self, group: str, member: str) -> None:
        """Note that a call of the group is offered to a member."""
        if self._last.get(group) != member:
            self._last[group] = member
            self.touched = True

    def took(self, member: str, day: str) -> None:
        """Note that a member has taken a call; `day` is the date, local."""
        if day != self._day:
            self._day = day
            self._taken.clear()
        self._taken[member] = self._taken.get(member, 0) + 1
        self.touched = True

    def ended(self, member: str) -> None:
        """Note that a member's call is over."""
        self._ends += 1
        self._ended[member] = self._ends
        self.touched = True

    # -- who comes first ---------------------------------------------------------------------------------------

    def sort(self, group: str, order: Order, candidates: Sequence[Candidate], rng: Random) -> list[Candidate]:
        """Return the candidates in the order in which they are to be rung now."""
        key = self._key(group, order, candidates, rng)
        return sorted(candidates, key=lambda c: (c.tier, key(c), c.place))

    def _key(
        self, group: str, order: Order, candidates: Sequence[Candidate], rng: Random
    ) -> Callable[[Candidate], float]:
        match order:
            case Order.ROUND_ROBIN:
                last = next((c.place for c in candidates if c.name == self._last.get(group)), -1)
                return lambda c: c.place <= last
            case Order.LONGEST_IDLE:
                return lambda c: self._ended.get(c.name, 0)
            case Order.FEWEST_CALLS:
                return lambda c: self._taken.get(c.name, 0)
            case Order.RANDOM:
                lots = {c.name: rng.random() for c in candidates}
                return lambda c: lots[c.name]
        return lambda c: 0

    # -- over a restart ----------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return all counters as plain values."""
        self.touched = False
        return {
            "last": dict(self._last),
            "ended": dict(self._ended),
            "ends": self._ends,
            "taken": dict(self._taken),
            "day": self._day,
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take the counters up again. Raises KeyError, TypeError or ValueError where they cannot be read."""
        last = {str(group): str(member) for group, member in kept["last"].items()}
        ended, taken = _counts(kept["ended"].items()), _counts(kept["taken"].items())
        self._ends = max([int(kept["ends"]), *ended.values()])
        self._last, self._ended, self._taken, self._day = last, ended, taken, str(kept["day"])


def _counts(items: Iterable[tuple[Any, Any]]) -> dict[str, int]:
    return {str(member): int(count) for member, count in items}
