"""What stands beside a phone, as its drivers offer it: buttons, lamps, and the board that opens them.

Pins are BCM numbers. `place` is where a part stands in the configuration (`desks.anna.buttons[0]`); a board only
repeats it in messages. `title` is what people may read at a drawn part; boards of real parts ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Change = Callable[[bool], None]

COLOURS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "magenta": (1, 0, 1),
    "cyan": (0, 1, 1),
    "white": (1, 1, 1),
}
"""What a lamp of three colours can show: red, green and blue, each lit or not."""


@dataclass(frozen=True, slots=True)
class LampWiring:
    """How a lamp is wired: at one pin, or at three, red, green and blue.

    `brightness` below 1 dims it by switching it fast (PWM). `active_low`: it is lit while its pins are low, as a lamp
    between pin and 3.3 V is, or one with a common anode.
    """

    pins: tuple[int, ...]
    brightness: float = 1.0
    active_low: bool = False

    @property
    def coloured(self) -> bool:
        """Whether it has three colours."""
        return len(self.pins) == 3


class HardwareError(Exception):
    """A part that cannot be used; the message says why, and what would be right, but not where."""


class Button(Protocol):
    """A push button; raw: its contacts bounce."""

    def on_change(self, callback: Change) -> None:
        """Call `callback(pressed)` at every edge, on any thread; it replaces the callback before."""

    def read(self) -> bool:
        """Return whether it is pressed now."""

    def close(self) -> None:
        """Free the pin; no callback comes after it. A second close does nothing."""


class Lamp(Protocol):
    """A lamp that is on or off; dark when opened."""

    def set(self, on: bool, colour: str = "white") -> None:
        """Switch it on or off; a lamp of three colours shows `colour`, of `COLOURS`, any other has but one."""

    def close(self) -> None:
        """Darken it and free its pins. A second close does nothing."""


class Board(Protocol):
    """Opens parts and lets none be opened twice."""

    def button(self, pin: int, place: str, title: str = "") -> Button:
        """Open a button between this pin and ground; raises HardwareError."""

    def lamp(self, wiring: LampWiring, place: str, title: str = "") -> Lamp:
        """Open a lamp; raises HardwareError."""

    def close(self) -> None:
        """Close every part."""
