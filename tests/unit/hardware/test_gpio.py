"""The real board where there is nothing real."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from hardware.gpio import GpioBoard
from hardware.model import HardwareError
from hardware.pins import caution

no_gpio = pytest.mark.skipif(any(Path("/dev").glob("gpiochip*")), reason="this machine has GPIO")


@no_gpio
def test_a_machine_without_gpio_says_so_and_what_helps() -> None:
    """Every part that is asked for is told so, and the pin can be asked for again."""
    board = GpioBoard()
    for pin in (17, 17, 27):
        with pytest.raises(HardwareError) as refused:
            board.button(pin, "desks.anna.buttons[0]")
        assert str(refused.value) == f"gpio {pin}: this machine has no GPIO; use --simulate-hardware"


def test_the_internal_pull_up_is_used_and_nothing_debounces() -> None:
    """A button needs no resistor, and the filter is ours alone."""
    factory = MockFactory()
    board = GpioBoard(factory)
    board.button(17, "here")
    assert (factory.pin(17).pull, factory.pin(17).bounce) == ("up", None)
    board.close()


def test_a_refusal_of_gpiozero_is_told_with_the_pin() -> None:
    """A pin that somebody else in this process has is no crash."""
    factory = MockFactory()
    first, second = GpioBoard(factory), GpioBoard(factory)
    first.button(17, "here")
    with pytest.raises(HardwareError, match="^gpio 17: "):
        second.lamp(17, "there")
    first.close()


def test_pins_with_other_uses_are_known() -> None:
    """I2C and the serial console."""
    assert [pin for pin in range(28) if caution(pin)] == [2, 3, 14, 15]
