"""What every board does: gpiozero's on its own mock pins, and the simulated one that ships."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from gpiozero.pins.mock import MockFactory

from hardware.gpio import GpioBoard
from hardware.model import COLOURS, Board, HardwareError, LampWiring
from hardware.simulated import SimulatedBoard, SimulatedLamp


class Rig(Protocol):
    """A board, and hands and eyes at its pins."""

    board: Board

    def press(self, pin: int) -> None:
        """Connect a pin to ground."""

    def release(self, pin: int) -> None:
        """Open the connection."""

    def lit(self, pin: int) -> bool:
        """Whether a lamp at the pin would be lit."""


class MockPins(Rig):
    def __init__(self) -> None:
        self.factory = MockFactory()
        self.board = GpioBoard(self.factory)

    def press(self, pin: int) -> None:
        """Press."""
        self.factory.pin(pin).drive_low()

    def release(self, pin: int) -> None:
        """Let go."""
        self.factory.pin(pin).drive_high()

    def lit(self, pin: int) -> bool:
        """Look."""
        return self.factory.pin(pin).function == "output" and bool(self.factory.pin(pin).state)


class Simulated(Rig):
    def __init__(self) -> None:
        self.board = SimulatedBoard()

    def press(self, pin: int) -> None:
        """Press."""
        self.board.press(pin)

    def release(self, pin: int) -> None:
        """Let go."""
        self.board.release(pin)

    def lit(self, pin: int) -> bool:
        """Look."""
        return any(_lights(lamp, pin) for lamp in self.board.lamps if pin in lamp.wiring.pins)


def _lights(lamp: SimulatedLamp, pin: int) -> bool:
    """Whether a pin of a lamp has its share in what it shows."""
    share = COLOURS[lamp.colour][lamp.wiring.pins.index(pin)] if lamp.colour else 1
    return lamp.lit and bool(share)


@pytest.fixture(params=[MockPins, Simulated])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Run each test on both boards."""
    made: Rig = request.param()
    yield made
    made.board.close()


def test_a_button_is_pressed_while_its_pin_is_at_ground(rig: Rig) -> None:
    """It is open at the start; read() follows, and every edge is told."""
    button, edges = rig.board.button(17, "here"), list[bool]()
    button.on_change(edges.append)
    assert button.read() is False
    rig.press(17)
    assert button.read() is True
    rig.release(17)
    assert button.read() is False
    assert edges == [True, False]


def test_contacts_that_bounce_are_told_as_they_are(rig: Rig) -> None:
    """A board filters nothing."""
    button, edges = rig.board.button(17, "here"), list[bool]()
    button.on_change(edges.append)
    for _ in range(3):
        rig.press(17)
        rig.release(17)
    assert edges == [True, False] * 3


def test_a_button_that_is_down_when_it_is_opened_is_read_as_pressed_and_tells_its_release(rig: Rig) -> None:
    """Only what happens after the opening is an edge."""
    button, edges = rig.board.button(17, "here"), list[bool]()
    rig.press(17)
    button.on_change(edges.append)
    assert button.read() is True
    rig.release(17)
    assert edges == [False]


def test_edges_may_come_on_any_thread(rig: Rig) -> None:
    """A callback runs where the edge was noticed."""
    button, threads = rig.board.button(17, "here"), list[str]()
    button.on_change(lambda pressed: threads.append(threading.current_thread().name))
    other = threading.Thread(target=rig.press, args=(17,), name="elsewhere")
    other.start()
    other.join()
    assert threads == ["elsewhere"]


def test_a_new_callback_replaces_the_one_before(rig: Rig) -> None:
    """There is one listener to a button."""
    button, first, second = rig.board.button(17, "here"), list[bool](), list[bool]()
    button.on_change(first.append)
    button.on_change(second.append)
    rig.press(17)
    assert (first, second) == ([], [True])


def test_a_lamp_is_dark_when_it_is_opened_and_then_as_it_is_set(rig: Rig) -> None:
    """Setting it to what it is changes nothing."""
    lamp = rig.board.lamp(LampWiring((27,)), "here")
    assert not rig.lit(27)
    for on in (True, True, False, False, True):
        lamp.set(on)
        assert rig.lit(27) is on


def test_a_closed_lamp_is_dark(rig: Rig) -> None:
    """A bridge that ends leaves no lamp burning; closing again is no mistake."""
    lamp = rig.board.lamp(LampWiring((27,)), "here")
    lamp.set(True)
    lamp.close()
    lamp.close()
    assert not rig.lit(27)


def test_closing_the_board_darkens_lamps_and_silences_buttons(rig: Rig) -> None:
    """Nobody is called any more."""
    button, lamp, edges = rig.board.button(17, "here"), rig.board.lamp(LampWiring((27,)), "there"), list[bool]()
    button.on_change(edges.append)
    lamp.set(True)
    rig.board.close()
    assert not rig.lit(27)
    _try(lambda: rig.press(17))
    assert edges == []


def test_a_pin_belongs_to_one_part(rig: Rig) -> None:
    """The message says who has it; as a button or as a lamp makes no difference."""
    rig.board.button(17, "desks.anna.buttons[0]")
    for open_again in (rig.board.button, one_pin(rig)):
        with pytest.raises(HardwareError, match=r"^gpio 17: desks\.anna\.buttons\[0\] has it already"):
            open_again(17, "desks.ben")


def test_a_pin_can_be_opened_again_once_it_is_closed(rig: Rig) -> None:
    """As what it was, or as something else."""
    rig.board.button(17, "here").close()
    rig.board.lamp(LampWiring((17,)), "here").set(True)
    assert rig.lit(17)


@pytest.mark.parametrize("pin", [-1, 28, 44, 1000])
def test_a_pin_that_does_not_exist_is_refused(rig: Rig, pin: int) -> None:
    """A Pi's header has BCM numbers 0 to 27."""
    for opening in (rig.board.button, one_pin(rig)):
        with pytest.raises(HardwareError, match=rf"^gpio {pin}: there is no such pin; right are 0 to 27"):
            opening(pin, "here")


@pytest.mark.parametrize("pin", range(28))
def test_every_pin_of_the_header_serves(rig: Rig, pin: int) -> None:
    """Those with other uses, too: that is a warning and no error."""
    rig.board.button(pin, "here").close()
    lamp = rig.board.lamp(LampWiring((pin,)), "here")
    lamp.set(True)
    assert rig.lit(pin)


def test_a_lamp_of_three_colours_has_three_pins(rig: Rig) -> None:
    """Each colour lights its own; dark is dark, and closing frees all three."""
    lamp = rig.board.lamp(LampWiring((5, 6, 13)), "here")
    assert not any(map(rig.lit, (5, 6, 13)))
    for colour, shares in COLOURS.items():
        lamp.set(True, colour)
        assert tuple(map(int, map(rig.lit, (5, 6, 13)))) == shares
    lamp.set(False, "white")
    assert not any(map(rig.lit, (5, 6, 13)))
    lamp.close()
    for pin in (5, 6, 13):
        rig.board.button(pin, "there")


def test_of_a_lamp_that_clashes_no_pin_is_kept(rig: Rig) -> None:
    """The last of three is somebody else's: the others stay free."""
    rig.board.button(13, "desks.anna.buttons[0]")
    with pytest.raises(HardwareError, match=r"^gpio 13: desks\.anna\.buttons\[0\] has it already"):
        rig.board.lamp(LampWiring((5, 6, 13)), "here")
    with pytest.raises(HardwareError, match="^gpio 6: here has it already"):
        rig.board.lamp(LampWiring((6, 6, 7)), "here")
    rig.board.button(5, "there")
    rig.board.button(6, "there")


def one_pin(rig: Rig) -> Callable[[int, str], object]:
    """Return what opens a lamp at a pin."""
    return lambda pin, place: rig.board.lamp(LampWiring((pin,)), place)


def _try(action: Callable[[], None]) -> None:
    """Press where there may be no button any more."""
    try:
        action()
    except HardwareError:
        return
