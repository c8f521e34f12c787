"""A board that is only in memory: its buttons are pressed by program, its lamps can be read.

It ships for `--simulate-hardware` and the demo, and refuses what a real board refuses: both pass the same
contract tests. Callbacks come on the thread that presses.
"""

from __future__ import annotations

from collections.abc import Callable

from hardware.model import Change, HardwareError
from hardware.pins import Claims


class SimulatedButton:
    """A button without bounce."""

    def __init__(self, board: SimulatedBoard, pin: int, place: str, title: str) -> None:
        self.pin = pin
        self.place = place
        self.title = title
        self._board = board
        self._pressed = False
        self._callback: Change | None = None

    def on_change(self, callback: Change) -> None:
        """Call `callback(pressed)` at every edge."""
        self._callback = callback

    def read(self) -> bool:
        """Return whether it is pressed now."""
        return self._pressed

    def move(self, pressed: bool) -> None:
        """Press or release it; nothing happens when it is so already."""
        if pressed != self._pressed:
            self._pressed = pressed
            if self._callback is not None:
                self._callback(pressed)

    def close(self) -> None:
        """Free the pin."""
        self._callback = None
        self._board.closed(self.pin, self)


class SimulatedLamp:
    """A lamp that can be read."""

    def __init__(self, board: SimulatedBoard, pin: int, place: str, title: str) -> None:
        self.pin = pin
        self.place = place
        self.title = title
        self.lit = False
        self._board = board

    def set(self, on: bool) -> None:
        """Switch it on or off."""
        if on != self.lit:
            self.lit = on
            self._board.changed()

    def close(self) -> None:
        """Darken it and free the pin."""
        self.set(False)
        self._board.closed(self.pin, self)


class SimulatedBoard:
    """A header of which nothing is real. `watcher` is called whenever a lamp has changed."""

    def __init__(self, watcher: Callable[[], None] | None = None) -> None:
        self.watcher = watcher
        self._claims = Claims()
        self._parts: dict[int, SimulatedButton | SimulatedLamp] = {}

    @property
    def buttons(self) -> tuple[SimulatedButton, ...]:
        """The open buttons, in the order they were opened."""
        return tuple(p for p in self._parts.values() if isinstance(p, SimulatedButton))

    @property
    def lamps(self) -> tuple[SimulatedLamp, ...]:
        """The open lamps, in the order they were opened."""
        return tuple(p for p in self._parts.values() if isinstance(p, SimulatedLamp))

    def button(self, pin: int, place: str, title: str = "") -> SimulatedButton:
        """Open a button; raises HardwareError."""
        self._claims.claim(pin, place)
        button = SimulatedButton(self, pin, place, title)
        self._parts[pin] = button
        return button

    def lamp(self, pin: int, place: str, title: str = "") -> SimulatedLamp:
        """Open a lamp; raises HardwareError."""
        self._claims.claim(pin, place)
        lamp = SimulatedLamp(self, pin, place, title)
        self._parts[pin] = lamp
        return lamp

    def press(self, pin: int) -> None:
        """Press the button at a pin and keep it pressed; raises HardwareError when there is none."""
        self._button_at(pin).move(True)

    def release(self, pin: int) -> None:
        """Let go of the button at a pin; raises HardwareError when there is none."""
        self._button_at(pin).move(False)

    def lit(self, pin: int) -> bool:
        """Return whether the lamp at a pin is lit; raises HardwareError when there is none."""
        lamp = self._parts.get(pin)
        if not isinstance(lamp, SimulatedLamp):
            raise HardwareError(f"gpio {pin}: no lamp is open there")
        return lamp.lit

    def changed(self) -> None:
        """Tell the watcher that a lamp has changed."""
        if self.watcher is not None:
            self.watcher()

    def close(self) -> None:
        """Close every part."""
        for part in list(self._parts.values()):
            part.close()

    def closed(self, pin: int, part: SimulatedButton | SimulatedLamp) -> None:
        """Take note that a part is closed."""
        if self._parts.get(pin) is part:
            del self._parts[pin]
            self._claims.release(pin)

    def _button_at(self, pin: int) -> SimulatedButton:
        button = self._parts.get(pin)
        if not isinstance(button, SimulatedButton):
            raise HardwareError(f"gpio {pin}: no button is open there")
        return button
