"""The calls that a group has missed, and who has not taken note of them yet.

A call that nobody took is missed by every group that it came to. It is missed no more once the same caller is answered
there, or after `DAYS`; and by a member no more who has seen it. An anonymous caller cannot be told from another.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.calls.over import CallResult
from bridge.events import CallOver, Event, MissedSeen
from bridge.journal.model import Change, Kind

DAYS = 7
_MOST = 200  # callers of one group
_TAKEN = frozenset({CallResult.ANSWERED.value, CallResult.REFUSED.value})


class Missed:
    """By group: callers and when they were missed last, UTC seconds; and when each member looked last."""

    def __init__(self) -> None:
        self._callers: dict[str, dict[str, float]] = {}
        self._seen: dict[tuple[str, str], float] = {}

    def take(self, event: Event) -> tuple[str, ...]:
        """Take an event in; return the groups of which something else is true now."""
        if isinstance(event, MissedSeen):
            self._seen[event.group, event.member] = event.wall
            return (event.group,)
        return self._over(event) if isinstance(event, CallOver) else ()

    def recall(self, calls: Iterable[CallOver], latest: Iterable[Change]) -> tuple[str, ...]:
        """Take in what the journal tells of the time before the start."""
        for change in latest:
            if change.kind is Kind.SEEN and change.group and change.member:
                place = change.group, change.member
                self._seen[place] = max(change.wall, self._seen.get(place, 0.0))
        return tuple(dict.fromkeys(group for call in calls for group in self._over(call)))

    def count(self, group: str, member: str, wall: float) -> int:
        """Return how many callers a member has not taken note of."""
        since = max(self._seen.get((group, member), 0.0), wall - DAYS * 86_400)
        return sum(at > since for at in self._callers.get(group, {}).values())

    def _over(self, call: CallOver) -> tuple[str, ...]:
        if call.result == CallResult.ANSWERED:
            return tuple(g for g in call.groups if self._callers.get(g, {}).pop(call.caller or "-", 0.0))
        if call.result in _TAKEN:
            return ()
        for group in call.groups:
            callers = self._callers.setdefault(group, {})
            callers.pop(call.caller, None)
            callers[call.caller] = call.wall
            while len(callers) > _MOST:
                del callers[next(iter(callers))]
        return call.groups
