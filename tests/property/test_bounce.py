"""gpiozero's mock pins with contacts that bounce, through board, desk and port: a press is a press, once."""

from __future__ import annotations

import asyncio

from gpiozero.pins.mock import MockFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.desk.desk import Desks
from bridge.desk.filter import STABLE
from bridge.desk.model import DeskSettings
from bridge.events import DeskPressed, Event
from hardware.gpio import GpioBoard
from hardware.simulated_panel import SimulatedPanel
from tests.support.clock import run_virtual
from tests.support.desks import button, lamp
from tests.support.office import NOW
from tests.support.paper import bureau

BOUNCES = st.lists(st.floats(0.0002, 0.0240), max_size=12)
LENGTHS = st.floats(0.03, 0.5)
PRESSES = st.lists(st.tuples(BOUNCES, LENGTHS, BOUNCES, LENGTHS), max_size=6)
DESK = DeskSettings("anna", "anna", (button(17, "login support"),), (lamp(27, "login support"),))


@settings(max_examples=60, deadline=None)
@given(PRESSES)
def test_every_press_that_lasts_is_one_press_however_its_contacts_bounce(
    presses: list[tuple[list[float], float, list[float], float]],
) -> None:
    """Bounces shorter than the filter before and after each press: as many presses as there were."""
    told: list[Event] = []

    async def scene() -> None:
        async with bureau() as behind:
            factory = MockFactory()
            desks = Desks([DESK], behind.port, behind.telephony, GpioBoard(factory), _panel, told.append, lambda: NOW)
            desks.start()
            pin = factory.pin(17)
            for before, pressed, after, released in presses:
                for length in (*_even(before), pressed, *_even(after), released):
                    pin.drive_low() if pin.state else pin.drive_high()
                    await asyncio.sleep(length)
            await asyncio.sleep(1)
            desks.close()

    run_virtual(scene())
    assert len([event for event in told if isinstance(event, DeskPressed)]) == len(presses)


@settings(max_examples=60, deadline=None)
@given(BOUNCES)
def test_spikes_are_no_press(lengths: list[float]) -> None:
    """Whatever is shorter than 25 ms, and as far apart as that."""
    told: list[Event] = []

    async def scene() -> None:
        async with bureau() as behind:
            factory = MockFactory()
            desks = Desks([DESK], behind.port, behind.telephony, GpioBoard(factory), _panel, told.append, lambda: NOW)
            desks.start()
            for length in lengths:
                factory.pin(17).drive_low()
                await asyncio.sleep(length)
                factory.pin(17).drive_high()
                await asyncio.sleep(STABLE + 0.001)
            desks.close()

    run_virtual(scene())
    assert told == []


def _even(bounces: list[float]) -> list[float]:
    """Return an even number of them, so that the level is in the end what it was."""
    return bounces[: len(bounces) // 2 * 2]


def _panel(desk: DeskSettings) -> SimulatedPanel:
    raise AssertionError("no desk here has a panel")
