"""The lamp signals of the contract: their names, how they blink, and which one shows where several hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hardware.patterns import PATTERNS as PANEL_PATTERNS
from hardware.patterns import Pattern as PanelPattern


class Signal(StrEnum):
    """The signals by name; the same for lamps at pins and on panels."""

    OFF = "off"
    STEADY = "steady"
    BLINK_SLOW = "blink slow"
    BLINK_FAST = "blink fast"
    SHORT_FLASH = "short flash"
    THREE_FLASHES = "three flashes"
    DOUBLE_BLINK = "double blink"

    @property
    def panel_name(self) -> str:
        """The name by which panels know it: in one word."""
        return self.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a signal looks: steps of (on, seconds). A pattern without steps stays `rest`.

    `once`: it runs one time, then the lamp stays at `rest`; else it repeats. `together`: all lamps that show it
    blink in step, which also saves wake-ups; else it starts anew, and so at once, wherever it begins to show.
    """

    steps: tuple[tuple[bool, float], ...] = ()
    rest: bool = False
    once: bool = False
    together: bool = True

    @property
    def seconds(self) -> float:
        """How long one run takes."""
        return sum(length for _, length in self.steps)


def _pattern(of: PanelPattern) -> Pattern:
    return Pattern(tuple((on, length / 1000) for on, length in of.steps), of.rest, of.once, of.together)


PATTERNS: Mapping[Signal, Pattern] = {signal: _pattern(PANEL_PATTERNS[signal.panel_name]) for signal in Signal}
"""The same that panels show: there is one table for both."""


@dataclass(frozen=True, slots=True)
class Truth:
    """All that holds for one lamp at one moment. `on`: logged in, or whatever else a steady lamp tells."""

    refused: bool = False
    asked: bool = False
    unreachable: bool = False  # the bridge cannot reach the PBX
    ringing: bool = False
    paused: bool = False
    on: bool = False


def pick(truth: Truth) -> Signal:
    """Return the signal of the first thing that holds."""
    ranked = (
        (truth.refused, Signal.THREE_FLASHES),
        (truth.asked, Signal.SHORT_FLASH),
        (truth.unreachable, Signal.DOUBLE_BLINK),
        (truth.ringing, Signal.BLINK_FAST),
        (truth.paused, Signal.BLINK_SLOW),
        (truth.on, Signal.STEADY),
    )
    return next((signal for holds, signal in ranked if holds), Signal.OFF)
