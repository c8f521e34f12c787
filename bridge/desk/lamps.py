"""The pattern engine: signals and time in, lamps to switch out. One deadline for all lamps.

Lamps that show the same repeating signal are in step, so twenty of them wake the process no more often than one;
nothing wakes it while no lamp blinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.desk.signals import PATTERNS, Pattern, Signal

_SLIP = 1e-6  # seconds; a timer that fires at a boundary, give or take rounding, is past it

Name = TypeVar("Name")


@dataclass(slots=True)
class _Shown:
    signal: Signal = Signal.OFF
    started: float = 0.0  # seconds, monotonic; 0 for what blinks in step
    on: bool = False
    next: float | None = None


class Lamps(Generic[Name]):
    """The lamps, by any names that can be hashed; each is dark when it is first shown something.

    What is returned is the lamps to switch, as (name, on); only those that change. Times are seconds, monotonic.
    """

    def __init__(self) -> None:
        self._shown: dict[Name, _Shown] = {}

    def show(self, name: Name, signal: Signal, now: float) -> list[tuple[Name, bool]]:
        """Let a lamp show a signal from now on; the signal it shows already goes on undisturbed."""
        shown = self._shown.setdefault(name, _Shown())
        if signal is not shown.signal:
            shown.signal = signal
            shown.started = 0.0 if PATTERNS[signal].together else now
            shown.next = now
        return list(self._step(name, shown, now))

    def tick(self, now: float) -> list[tuple[Name, bool]]:
        """Return the lamps to switch now."""
        return [switch for name, shown in self._shown.items() for switch in self._step(name, shown, now)]

    def deadline(self) -> float | None:
        """Return when to `tick`, or None while nothing blinks."""
        return min((s.next for s in self._shown.values() if s.next is not None), default=None)

    def _step(self, name: Name, shown: _Shown, now: float) -> Iterator[tuple[Name, bool]]:
        if shown.next is None or shown.next > now + _SLIP:
            return
        on, shown.next = level(PATTERNS[shown.signal], shown.started, now)
        if on is not shown.on:
            shown.on = on
            yield name, on


def level(pattern: Pattern, started: float, now: float) -> tuple[bool, float | None]:
    """Return whether a pattern that began at `started` is lit, and when that changes next (None: never)."""
    run = pattern.seconds
    age = now - started + _SLIP
    if run == 0.0 or (pattern.once and age >= run):
        return pattern.rest, None
    age %= run
    end = 0.0
    for on, length in pattern.steps:
        end += length
        if age < end:
            return on, now + end - age + _SLIP
    return pattern.steps[0][0], now + pattern.steps[0][1]  # rounding took the age to the very end of the run
