"""Buttons and lamps at the pins of a Raspberry Pi, by gpiozero.

gpiozero's own filters and blinkers are left alone: its debouncing differs between pin factories, and its blink
starts a thread for each lamp. Here an edge is an edge, and a lamp is on or off; one that is dimmed is switched by PWM.

The pin factory is chosen explicitly, so that gpiozero never falls back to another one silently. Callbacks come on
the pin factory's threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from gpiozero import DigitalInputDevice, DigitalOutputDevice, GPIOZeroError, PinUnknownPi, PWMOutputDevice

from hardware.model import COLOURS, Change, HardwareError, LampWiring
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
    """A lamp at one pin, or at three."""

    def __init__(self, board: GpioBoard, wiring: LampWiring) -> None:
        self._board = board
        self._wiring = wiring
        self._devices: list[Any] = []
        try:
            for pin in wiring.pins:
                self._devices.append(_output(pin, wiring, board.factory))
        except (GPIOZeroError, HardwareError):
            self._release()
            raise

    def set(self, on: bool, colour: str = "white") -> None:
        """Switch it on or off, in a colour where it has any."""
        shares = COLOURS[colour] if self._wiring.coloured else (1,)
        for device, share in zip(self._devices, shares, strict=True):
            device.value = share * self._wiring.brightness if on else 0

    def close(self) -> None:
        """Darken it and free its pins."""
        if self._devices:
            self.set(False)
            self._release()
            self._board.closed(*self._wiring.pins)

    def _release(self) -> None:
        for device in self._devices:
            device.close()
        self._devices = []


def _output(pin: int, wiring: LampWiring, factory: Any) -> Any:
    kind = DigitalOutputDevice if wiring.brightness == 1.0 else PWMOutputDevice
    return kind(pin, active_high=not wiring.active_low, initial_value=0, pin_factory=factory)


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
        return self._open(lambda: GpioButton(self, pin), (pin,), place)

    def lamp(self, wiring: LampWiring, place: str, title: str = "") -> GpioLamp:
        """Open a lamp; raises HardwareError."""
        return self._open(lambda: GpioLamp(self, wiring), wiring.pins, place)

    def close(self) -> None:
        """Close every part."""
        for part in list(self._parts.values()):
            part.close()

    def closed(self, *pins: int) -> None:
        """Take note that the part at these pins is closed."""
        self._parts.pop(pins[0], None)
        self._claims.release(*pins)

    def _open(self, open_part: Callable[[], _Part], pins: tuple[int, ...], place: str) -> _Part:
        self._claims.claim_all(pins, place)
        try:
            part = open_part()
        except (GPIOZeroError, HardwareError) as error:
            self._claims.release(*pins)
            raise HardwareError(f"gpio {', '.join(map(str, pins))}: {error}") from error
        self._parts[pins[0]] = part
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
