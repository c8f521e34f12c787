"""What stands beside a phone, as its drivers offer it: buttons, lamps, and the board that opens them.

Pins are BCM numbers. `place` is where a part stands in the configuration (`desks.anna.buttons[0]`); a board only
repeats it in messages. `title` is what people may read at a drawn part; boards of real parts ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Change = Callable[[bool], None]


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

    def set(self, on: bool) -> None:
        """Switch it on or off."""

    def close(self) -> None:
        """Darken it and free the pin. A second close does nothing."""


class Board(Protocol):
    """Opens parts and lets none be opened twice."""

    def button(self, pin: int, place: str, title: str = "") -> Button:
        """Open a button between this pin and ground; raises HardwareError."""

    def lamp(self, pin: int, place: str, title: str = "") -> Lamp:
        """Open a lamp that is lit while this pin is high; raises HardwareError."""

    def close(self) -> None:
        """Close every part."""
