"""What a rehearsal came to: counts for each group and member, and how it went over the day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bridge.rehearsal.model import Fate, Played

WITHIN = 20.0  # seconds, of the service level
SLOT = 900.0  # seconds, of the picture


class Outcome(NamedTuple):
    """A group's numbers. Waits are seconds, of callers who were answered; shares from 0 to 1, None of nothing."""

    calls: int
    answered: int
    abandoned: int
    lost: int
    mean_wait: float | None
    most_wait: float | None  # of nine in ten
    longest_wait: float
    service_level: float | None
    occupancy: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in self._asdict().items()}


def outcomes(played: Played) -> dict[str, Outcome]:
    """Return each group's numbers; a call counts in the group that it came to first."""
    groups = dict.fromkeys([*(group for group, _ in played.present), *(fate.arrival.group for fate in played.fates)])
    return {group: _outcome([f for f in played.fates if f.arrival.group == group], group, played) for group in groups}


def _outcome(fates: Sequence[Fate], group: str, played: Played) -> Outcome:
    waits = sorted(fate.waited for fate in fates if fate.taken_by is not None)
    abandoned = sum(fate.gave_up for fate in fates)
    in_time = sum(wait <= WITHIN for wait in waits)
    members = {member for place, member in played.present if place == group}
    present = sum(played.present[group, member] for member in members)
    talked = sum(fate.talked for fate in played.fates if fate.taken_by in members)
    return Outcome(
        calls=len(fates),
        answered=len(waits),
        abandoned=abandoned,
        lost=len(fates) - len(waits) - abandoned,
        mean_wait=sum(waits) / len(waits) if waits else None,
        most_wait=waits[min(len(waits) - 1, int(len(waits) * 0.9))] if waits else None,
        longest_wait=max((fate.waited for fate in fates), default=0.0),
        service_level=in_time / len(fates) if fates else None,
        occupancy=min(1.0, talked / present) if present > 0 else None,
    )


def occupancies(played: Played) -> dict[str, float]:
    """Return the share of each member's time that was talked, over all groups."""
    there: dict[str, float] = {}
    for (_, member), seconds in played.present.items():
        there[member] = max(there.get(member, 0.0), seconds)
    talked = dict.fromkeys(there, 0.0)
    for fate in played.fates:
        if fate.taken_by in talked:
            talked[fate.taken_by] += fate.talked
    return {member: min(1.0, talked[member] / seconds) if seconds > 0 else 0.0 for member, seconds in there.items()}


class Slot(NamedTuple):
    """A quarter of an hour: when it begins, UTC seconds; calls that came; their mean wait; how many were not served."""

    at: float
    calls: int
    wait: float
    unserved: int


def slots(played: Played, length: float = SLOT) -> list[Slot]:
    """Return how it went, from the first call's quarter on."""
    begin = played.begin - played.begin % length
    found: dict[int, list[Fate]] = {}
    for fate in played.fates:
        found.setdefault(int((fate.arrival.at - begin) // length), []).append(fate)
    return [_slot(begin + number * length, found.get(number, [])) for number in range(max(found, default=-1) + 1)]


def _slot(at: float, fates: Sequence[Fate]) -> Slot:
    wait = sum(fate.waited for fate in fates) / len(fates) if fates else 0.0
    return Slot(at, len(fates), wait, sum(fate.taken_by is None for fate in fates))
