"""A board that is only in memory: its buttons are pressed by program, its lamps can be read.

It ships for `--simulate-hardware` and the demo, and refuses what a real board refuses: both pass the same
contract tests. Callbacks come on the thread that presses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hardware.model import Change, HardwareError, LampWiring
from hardware.pins import Claims
from hardware.simulated_panel import SimulatedKey, SimulatedLight, SimulatedPanel


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
        self._board.closed(self, self.pin)


class SimulatedLamp:
    """A lamp that can be read. `colour` is what it shows while it is lit, None where it has but one."""

    def __init__(self, board: SimulatedBoard, wiring: LampWiring, place: str, title: str) -> None:
        self.wiring = wiring
        self.place = place
        self.title = title
        self.lit = False
        self.colour: str | None = None
        self._board = board

    @property
    def pin(self) -> int:
        """Its only or first pin."""
        return self.wiring.pins[0]

    def set(self, on: bool, colour: str = "white") -> None:
        """Switch it on or off."""
        shown = colour if on and self.wiring.coloured else None
        if (on, shown) != (self.lit, self.colour):
            self.lit, self.colour = on, shown
            self._board.changed()

    def close(self) -> None:
        """Darken it and free its pins."""
        self.set(False)
        self._board.closed(self, *self.wiring.pins)


class SimulatedBoard:
    """A header of which nothing is real. `watcher` is called whenever a lamp has changed."""

    def __init__(self, watcher: Callable[[], None] | None = None) -> None:
        self.watcher = watcher
        self._claims = Claims()
        self._parts: dict[int, SimulatedButton | SimulatedLamp] = {}
        self._panels: list[SimulatedPanel] = []

    @property
    def buttons(self) -> tuple[SimulatedButton, ...]:
        """The open buttons, in the order they were opened."""
        return tuple(p for p in self._parts.values() if isinstance(p, SimulatedButton))

    @property
    def lamps(self) -> tuple[SimulatedLamp, ...]:
        """The open lamps, in the order they were opened."""
        return tuple(p for p in self._parts.values() if isinstance(p, SimulatedLamp))

    @property
    def keys(self) -> tuple[SimulatedButton | SimulatedKey, ...]:
        """All that can be pressed: the buttons, and the keys of the panels beside the board."""
        return (*self.buttons, *(key for panel in self._panels for key in panel.keys))

    @property
    def lights(self) -> tuple[SimulatedLamp | SimulatedLight, ...]:
        """All that can be lit: the lamps, and those of the panels beside the board."""
        return (*self.lamps, *(light for panel in self._panels for light in panel.lights))

    def panel(self, keys: Mapping[int, str], lamps: Mapping[int, str]) -> SimulatedPanel:
        """Return a panel that stands beside the board; `keys` and `lamps` are titles by number."""
        panel = SimulatedPanel(keys, lamps, self.changed)
        self._panels.append(panel)
        return panel

    def button(self, pin: int, place: str, title: str = "") -> SimulatedButton:
        """Open a button; raises HardwareError."""
        self._claims.claim(pin, place)
        button = SimulatedButton(self, pin, place, title)
        self._parts[pin] = button
        return button

    def lamp(self, wiring: LampWiring, place: str, title: str = "") -> SimulatedLamp:
        """Open a lamp; raises HardwareError."""
        self._claims.claim_all(wiring.pins, place)
        lamp = SimulatedLamp(self, wiring, place, title)
        self._parts[lamp.pin] = lamp
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

    def closed(self, part: SimulatedButton | SimulatedLamp, *pins: int) -> None:
        """Take note that the part at these pins is closed."""
        if self._parts.get(pins[0]) is part:
            del self._parts[pins[0]]
            self._claims.release(*pins)

    def _button_at(self, pin: int) -> SimulatedButton:
        button = self._parts.get(pin)
        if not isinstance(button, SimulatedButton):
            raise HardwareError(f"gpio {pin}: no button is open there")
        return button
