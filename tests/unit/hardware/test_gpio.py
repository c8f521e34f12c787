"""The real board where there is nothing real."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from hardware.gpio import GpioBoard
from hardware.model import HardwareError, LampWiring
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
        second.lamp(LampWiring((17,)), "there")
    first.close()


def test_a_lamp_is_dimmed_by_switching_it_fast() -> None:
    """Brightness is the share of the time in which it is lit; each colour is dimmed alike."""
    factory = MockFactory(pin_class=MockPWMPin)
    board = GpioBoard(factory)
    lamp = board.lamp(LampWiring((5, 6, 13), brightness=0.25), "here")
    lamp.set(True, "magenta")
    assert [factory.pin(pin).state for pin in (5, 6, 13)] == [0.25, 0, 0.25]
    lamp.set(False)
    assert [factory.pin(pin).state for pin in (5, 6, 13)] == [0, 0, 0]
    board.close()


def test_a_lamp_to_3_3_volts_is_lit_while_its_pin_is_low() -> None:
    """As one with a common anode is; it is dark when it is opened, and when it is closed."""
    factory = MockFactory()
    board = GpioBoard(factory)
    lamp = board.lamp(LampWiring((27,), active_low=True), "here")
    assert factory.pin(27).state == 1
    lamp.set(True)
    assert factory.pin(27).state == 0
    lamp.set(False)
    assert factory.pin(27).state == 1
    board.close()


def test_pins_with_other_uses_are_known() -> None:
    """I2C and the serial console."""
    assert [pin for pin in range(28) if caution(pin)] == [2, 3, 14, 15]
