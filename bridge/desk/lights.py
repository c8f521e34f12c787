"""Where a signal becomes visible: lamps at pins, which one pattern engine switches, in their colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from bridge.desk.lamps import Lamps
from bridge.desk.signals import Signal
from hardware.model import Lamp

USUAL_COLOURS: Mapping[Signal, str] = {
    Signal.STEADY: "green",
    Signal.BLINK_SLOW: "yellow",
    Signal.BLINK_FAST: "blue",
    Signal.SHORT_FLASH: "white",
    Signal.THREE_FLASHES: "red",
    Signal.DOUBLE_BLINK: "red",
}
"""What a lamp of three colours shows where it is not told otherwise."""


class Light(Protocol):
    """Something that can show a signal."""

    def show(self, signal: Signal, now: float) -> None:
        """Show a signal from now on; the one that it shows already goes on undisturbed."""


class PinLight:
    """A lamp at pins."""

    def __init__(self, lights: PinLights, lamp: Lamp, colours: Mapping[Signal, str]) -> None:
        self._lights = lights
        self._lamp = lamp
        self._colours = {**USUAL_COLOURS, **colours}
        self._lit = False
        self._colour = "white"

    def show(self, signal: Signal, now: float) -> None:
        """Show a signal from now on."""
        colour = self._colours.get(signal, self._colour)  # dark has no colour
        if colour != self._colour:
            self._colour = colour
            if self._lit:
                self._lamp.set(True, colour)
        self._lights.show(self, signal, now)

    def switch(self, on: bool) -> None:
        """Light or darken it."""
        self._lit = on
        self._lamp.set(on, self._colour)


class PinLights:
    """All lamps at pins, and the one engine that lets them blink. Times are seconds, monotonic."""

    def __init__(self) -> None:
        self._engine: Lamps[PinLight] = Lamps()

    def add(self, lamp: Lamp, colours: Mapping[Signal, str]) -> PinLight:
        """Return a light for a lamp that is dark."""
        return PinLight(self, lamp, colours)

    def show(self, light: PinLight, signal: Signal, now: float) -> None:
        """Let a light show a signal."""
        _switch(self._engine.show(light, signal, now))

    def tick(self, now: float) -> None:
        """Switch what is due."""
        _switch(self._engine.tick(now))

    def deadline(self) -> float | None:
        """Return when to `tick`, or None while nothing blinks."""
        return self._engine.deadline()


def _switch(switches: Iterable[tuple[PinLight, bool]]) -> None:
    for light, on in switches:
        light.switch(on)
