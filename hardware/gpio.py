"""Buttons and lamps at the pins of a Raspberry Pi, by gpiozero.

gpiozero's own filters and blinkers are left alone: its debouncing differs between pin factories, and its blink
starts a thread for each lamp. Here an edge is an edge, and a lamp is on or off.

The pin factory is chosen explicitly, so that gpiozero never falls back to another one silently. Callbacks come on
the pin factory's threads.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from gpiozero import DigitalInputDevice, DigitalOutputDevice, GPIOZeroError, PinUnknownPi

from hardware.model import Change, HardwareError
from hardware.pins import Claims

_ELSEWHERE = "use --simulate-hardware"


class GpioButton:
    """A button between a pin and ground, on the pin's internal pull-up."""

    def __init__(self, board: GpioBoard, pin: int) -> None:
        self._board = board
        self._pin = pin
        self._device = DigitalInputDevice(pin, pull_up=True, bounce_time=None, pin_factory=board.factory)

    def on_change(self, callback: Change) -> None:
        """Call `callback(pressed)` at every edge, on a thread of the pin factory."""
        self._device.when_activated = lambda: callback(True)
        self._device.when_deactivated = lambda: callback(False)

    def read(self) -> bool:
        """Return whether it is pressed now."""
        return bool(self._device.is_active)

    def close(self) -> None:
        """Free the pin."""
        if not self._device.closed:
            self._device.close()
            self._board.closed(self._pin)


class GpioLamp:
    """A lamp that is lit while its pin is high."""

    def __init__(self, board: GpioBoard, pin: int) -> None:
        self._board = board
        self._pin = pin
        self._device = DigitalOutputDevice(pin, initial_value=False, pin_factory=board.factory)

    def set(self, on: bool) -> None:
        """Switch it on or off."""
        if on:
            self._device.on()
        else:
            self._device.off()

    def close(self) -> None:
        """Darken it and free the pin."""
        if not self._device.closed:
            self._device.off()
            self._device.close()
            self._board.closed(self._pin)


class GpioBoard:
    """The header of a Raspberry Pi. `factory`: gpiozero's pin factory; None: lgpio's, opened with the first part."""

    def __init__(self, factory: Any = None) -> None:
        self._factory = factory
        self._claims = Claims()
        self._parts: dict[int, GpioButton | GpioLamp] = {}

    @property
    def factory(self) -> Any:
        """The pin factory; raises HardwareError when this machine has none."""
        if self._factory is None:
            self._factory = _lgpio()
        return self._factory

    def button(self, pin: int, place: str, title: str = "") -> GpioButton:
        """Open a button between this pin and ground; raises HardwareError."""
        return self._open(GpioButton, pin, place)

    def lamp(self, pin: int, place: str, title: str = "") -> GpioLamp:
        """Open a lamp at this pin; raises HardwareError."""
        return self._open(GpioLamp, pin, place)

    def close(self) -> None:
        """Close every part."""
        for part in list(self._parts.values()):
            part.close()

    def closed(self, pin: int) -> None:
        """Take note that the part at a pin is closed."""
        self._parts.pop(pin, None)
        self._claims.release(pin)

    def _open(self, kind: type[_Part], pin: int, place: str) -> _Part:
        self._claims.claim(pin, place)
        try:
            part = kind(self, pin)
        except (GPIOZeroError, HardwareError) as error:
            self._claims.release(pin)
            raise HardwareError(f"gpio {pin}: {error}") from error
        self._parts[pin] = part
        return part


_Part = TypeVar("_Part", GpioButton, GpioLamp)


def _lgpio() -> Any:
    """Return lgpio's pin factory; raises HardwareError saying what this machine lacks for it."""
    chips = list(Path("/dev").glob("gpiochip*"))
    if not chips:
        raise HardwareError(f"this machine has no GPIO; {_ELSEWHERE}")
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError:
        raise HardwareError(
            "the Python module lgpio is missing; install python3-lgpio, and make the virtual environment "
            "with --system-site-packages"
        ) from None
    try:
        return LGPIOFactory()
    except PinUnknownPi:
        raise HardwareError(f"this machine is no Raspberry Pi; {_ELSEWHERE}") from None
    except Exception as error:  # lgpio's own, of no common base: no permission, a chip that is in use
        if not any(os.access(chip, os.R_OK | os.W_OK) for chip in chips):
            raise HardwareError("/dev/gpiochip* may not be used; add this login to the group gpio") from error
        raise HardwareError(f"lgpio cannot open the pins ({error})") from error
