"""The lamp for missed calls: lit until whoever stands at the desk has seen it."""

from __future__ import annotations

import asyncio

from bridge.desk.model import DeskSettings
from bridge.events import MissedSeen
from tests.support.clock import run_virtual
from tests.support.desks import button, lamp, room
from tests.support.office import NOW
from tests.unit.journal.test_missed import over

DESK = DeskSettings("anna", "anna", (button(17, "toggle support"),), (lamp(27, "missed support"),))
STEADY, DARK = "#" * 80, "." * 80


def test_a_missed_call_lights_it_and_a_press_about_the_group_ends_that() -> None:
    """Lit by a call that nobody took; a press of that group's button is kept in the journal, and it is dark."""

    async def scene() -> None:
        async with room(DESK) as here:
            port = here.bureau.port
            assert await here.look(27) == DARK
            port.publish(over("01", NOW - 60))
            await asyncio.sleep(0.01)
            assert await here.look(27) == STEADY
            await here.press(17)
            assert await here.look(27) == DARK
            seen = [event for event in here.bureau.events if isinstance(event, MissedSeen)]
            assert [(event.group, event.member, event.by, event.origin) for event in seen] == [
                ("support", "anna", "anna", "button")
            ]

    run_virtual(scene())


def test_the_caller_who_gets_through_ends_it_for_everybody() -> None:
    """Nobody has to press anything."""

    async def scene() -> None:
        async with room(DESK) as here:
            port = here.bureau.port
            port.publish(over("01", NOW - 60))
            await asyncio.sleep(0.01)
            assert await here.look(27) == STEADY
            port.publish(over("01", NOW - 10, "answered"))
            await asyncio.sleep(0.01)
            assert await here.look(27) == DARK

    run_virtual(scene())
