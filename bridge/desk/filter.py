"""From the bouncing edges of a button to what a finger meant: pressed, held, released.

A level counts once it has been stable for 25 ms; the time of an edge is when the pin moved, not when the loop got
to hear of it. A button that has a function for holding tells a short press when it is released, any other at once.

An edge can get lost between the pin and us, so the pin is read again at every deadline. If it then is not where
the edges say, an edge may still be on its way through another thread: it is given 10 ms; after that the pin is
believed, and what was not yet decided counts as bounce.
"""

from __future__ import annotations

from enum import Enum

STABLE = 0.025  # seconds
HELD = 0.8  # seconds from the edge to a hold
GRACE = 0.010  # seconds that an edge may be on its way


class Gesture(Enum):
    """What a finger did."""

    DOWN = "down"
    PRESS = "press"  # a short press: on release where there is something to hold for, else right after DOWN
    HOLD = "hold"
    UP = "up"


class Filter:
    """One button's filter. All times are seconds, monotonic.

    `holds`: whether holding has a meaning. `pressed`: the level at the start; who is pressed then means nothing
    until released. `stable`: how long a level has to last; 0 where that was seen to elsewhere, as a panel does.
    """

    def __init__(self, *, holds: bool, pressed: bool = False, stable: float = STABLE) -> None:
        self._holds = holds
        self._lasts = stable
        self._raw = pressed  # where the pin is
        self._moved = 0.0  # since when
        self._stable = pressed
        self._since = 0.0  # when the pin went where it is stable
        self._meant = pressed  # whether this press has already been told
        self._doubt: float | None = None  # since when the pin is not where the edges say

    def edge(self, pressed: bool, at: float) -> list[Gesture]:
        """Take in an edge that happened at `at`; return what is certain by then."""
        self._doubt = None
        at = max(at, self._moved)
        gestures = self._settle(at)
        if pressed != self._raw:
            self._raw, self._moved = pressed, at
        return gestures

    def told(self, pressed: bool, at: float) -> list[Gesture]:
        """Take in an edge of a key whose levels are stable when they are told; return what is certain by then."""
        return self.edge(pressed, at) + self._settle(max(at, self._moved))

    def tick(self, pressed: bool, now: float) -> list[Gesture]:
        """Take in the level that the pin was read at; return what is certain by now."""
        if pressed == self._raw:
            self._doubt = None
            return self._settle(now)
        if self._doubt is None:
            self._doubt = now
        elif now >= self._doubt + GRACE:
            self._raw, self._moved = pressed, self._doubt
            self._doubt = None
            return self._settle(now)
        return []

    def deadline(self) -> float | None:
        """Return when to read the pin and `tick`, or None while nothing is pending."""
        if self._doubt is not None:
            return self._doubt + GRACE
        if self._raw != self._stable:
            return self._moved + self._lasts
        return self._hold_at

    @property
    def pressed(self) -> bool:
        """Where the key is, by what was heard of it."""
        return self._raw

    @property
    def _hold_at(self) -> float | None:
        waiting = self._holds and self._stable and self._raw and not self._meant
        return self._since + HELD if waiting else None

    def _settle(self, now: float) -> list[Gesture]:
        gestures: list[Gesture] = []
        if self._raw != self._stable and now >= self._moved + self._lasts:
            self._stable, self._since = self._raw, self._moved
            gestures += self._down() if self._stable else self._up()
        hold_at = self._hold_at
        if hold_at is not None and now >= hold_at:
            self._meant = True
            gestures.append(Gesture.HOLD)
        return gestures

    def _down(self) -> list[Gesture]:
        self._meant = not self._holds
        return [Gesture.DOWN] if self._holds else [Gesture.DOWN, Gesture.PRESS]

    def _up(self) -> list[Gesture]:
        short, self._meant = not self._meant, True
        return [Gesture.PRESS, Gesture.UP] if short else [Gesture.UP]
