"""Which pins of a Raspberry Pi's header can be used, and by whom each is. The same for real and simulated boards."""

from __future__ import annotations

from collections.abc import Sequence

from hardware.model import HardwareError

HIGHEST = 27

_CAUTION = {
    2: "is I2C data and has a fixed pull-up",
    3: "is I2C clock, has a fixed pull-up and starts a Pi that is switched off",
    14: "is the serial console's transmitter",
    15: "is the serial console's receiver",
}


def impossible(pin: int) -> str | None:
    """Return what is wrong with a pin number, or None."""
    if 0 <= pin <= HIGHEST:
        return None
    return f"gpio {pin}: there is no such pin; right are 0 to {HIGHEST} (BCM numbers)"


def caution(pin: int) -> str | None:
    """Return why a pin that can be used had better be left alone, or None."""
    return f"gpio {pin} {_CAUTION[pin]}; another pin is better" if pin in _CAUTION else None


class Claims:
    """Who has which pin."""

    def __init__(self) -> None:
        self._owners: dict[int, str] = {}

    def claim(self, pin: int, place: str) -> None:
        """Give a pin to `place`; raises HardwareError when there is no such pin or somebody has it."""
        wrong = impossible(pin)
        if wrong:
            raise HardwareError(wrong)
        if pin in self._owners:
            raise HardwareError(f"gpio {pin}: {self._owners[pin]} has it already; each part needs its own pin")
        self._owners[pin] = place

    def claim_all(self, pins: Sequence[int], place: str) -> None:
        """Give several pins to `place`, or none of them; raises HardwareError."""
        for index, pin in enumerate(pins):
            try:
                self.claim(pin, place)
            except HardwareError:
                self.release(*pins[:index])
                raise

    def release(self, *pins: int) -> None:
        """Take pins back."""
        for pin in pins:
            self._owners.pop(pin, None)
