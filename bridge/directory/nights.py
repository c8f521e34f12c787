"""A group's night switch: open, closed, or by its hours; and what follows from it.

The switch overrides the hours; a group without hours is open by them. Hours mean nothing to a clock that is not right:
until it is, a group that goes by its hours counts as open, since a call too many is better than one that is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.directory.instant import Instant
from bridge.directory.logins import Origin
from bridge.directory.model import Group


class Night(StrEnum):
    """Where the switch stands."""

    OPEN = "open"
    CLOSED = "closed"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class NightState:
    """A group's switch. `since` is UTC seconds, 0 where nobody has touched it yet."""

    night: Night = Night.HOURS
    since: float = 0.0
    by: str | None = None
    origin: Origin | None = None


UNTOUCHED = NightState()


@dataclass(frozen=True, slots=True)
class NightChange:
    """A decided change of one switch; to be committed, then applied."""

    group: str
    before: NightState
    after: NightState


class Nights:
    """The confirmed switches."""

    def __init__(self, entries: Iterable[tuple[str, NightState]] = ()) -> None:
        self._by_group: dict[str, NightState] = dict(entries)

    def get(self, group: str) -> NightState:
        """Return a group's switch; by hours where nobody has touched it."""
        return self._by_group.get(group, UNTOUCHED)

    def apply(self, changes: Iterable[NightChange]) -> None:
        """Take over changes that are committed."""
        for change in changes:
            self._by_group[change.group] = change.after

    def copy(self) -> Nights:
        """Return a draft to decide further commands on."""
        return Nights(self._by_group.items())

    def __iter__(self) -> Iterator[tuple[str, NightState]]:
        return iter(self._by_group.items())


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a group takes calls, and why. `turns`: when its hours change that next, UTC seconds."""

    open: bool
    switch: NightState = UNTOUCHED
    turns: float | None = None


def opening(group: Group, switch: NightState, now: Instant) -> Opening:
    """Return whether a group takes calls now."""
    if not group.active:
        return Opening(False, switch)
    if switch.night is not Night.HOURS:
        return Opening(switch.night is Night.OPEN, switch)
    return Opening(open_by_hours(group, now), switch, _turns(group, now))


def open_by_hours(group: Group, now: Instant) -> bool:
    """Whether a group's hours alone would let it take calls."""
    return group.hours is None or not now.synchronised or group.hours.contain(now.wall)


def _turns(group: Group, now: Instant) -> float | None:
    return group.hours.next_change(now.wall) if group.hours is not None and now.synchronised else None
