"""The night switch as a button and a lamp; pauses as buttons; and doors that meet."""

from __future__ import annotations

import asyncio

from bridge.commands.model import OWNER, LoginCommand, LoginVerb, NightCommand
from bridge.desk.model import DeskSettings
from bridge.directory.hours import Hours
from bridge.directory.logins import Origin
from bridge.directory.nights import Night
from bridge.events import CommandRefused, OpeningChanged
from tests.support.clock import run_virtual
from tests.support.desks import Room, button, lamp, room
from tests.support.office import NOW, office

NIGHT = DeskSettings(
    "anna", "anna", (button(17, "night support"),), (lamp(27, "night support"), lamp(22, "login support"))
)
PAUSE = DeskSettings(
    "anna", "anna", (button(17, "pause support"), button(18, "login support")), (lamp(27, "login support"),)
)
STEADY, DARK = "#" * 80, "." * 80


async def switch(here: Room, night: Night) -> None:
    """Let the owner set the switch from elsewhere."""
    assert (await here.bureau.port.submit(NightCommand("support", night), OWNER, Origin.MQTT)).ok


def test_a_night_button_turns_the_switch_and_its_lamp_tells() -> None:
    """Pressed: closed, confirmed, lit. Pressed again: as its hours say, dark. The login's lamp has no part in it."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            assert await here.look(27) == DARK
            await here.press(17)
            assert await here.look(27) == STEADY
            found = here.bureau.port.opening("support").switch
            assert (found.night, found.by, found.origin) == (Night.CLOSED, "anna", Origin.BUTTON)
            assert await here.look(22) == DARK
            await here.press(17)
            assert await here.look(27) == DARK
            assert here.bureau.port.opening("support").switch.night is Night.HOURS

    run_virtual(scene())


def test_the_lamp_waits_for_the_confirmation() -> None:
    """While the disk is busy it flashes; it is steady only when the switch is written."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            here.bureau.paper.free.clear()
            await here.press(17)
            assert (await here.look(27, 3.0)).count("#.") >= 2
            assert here.bureau.port.opening("support").open
            here.bureau.paper.free.set()
            await asyncio.sleep(0.01)
            assert await here.look(27) == STEADY

    run_virtual(scene())


def test_a_full_disk_is_three_flashes_and_an_event() -> None:
    """What could not be written has not happened."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            here.bureau.paper.broken = True
            here.board.press(17)
            await asyncio.sleep(0.03)
            assert (await here.look(27, 1.0)).count("#.") == 3
            assert await here.look(27) == DARK
            refused = [e for e in here.bureau.events if isinstance(e, CommandRefused)]
            assert [(e.verb, e.group, e.member, e.code) for e in refused] == [
                ("night", "support", None, "store_failed")
            ]

    run_virtual(scene())


def test_another_door_lights_the_lamp() -> None:
    """One confirmed truth: closed from elsewhere is lit here."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            await switch(here, Night.CLOSED)
            assert await here.look(27) == STEADY
            await switch(here, Night.OPEN)
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_button_and_another_door_at_the_same_moment() -> None:
    """Both are done, one after the other, and the lamp shows what came last."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            here.bureau.paper.free.clear()
            await here.press(17)
            later = asyncio.create_task(switch(here, Night.OPEN))
            await asyncio.sleep(0.01)
            here.bureau.paper.free.set()
            await later
            assert await here.look(27) == DARK
            told = [e.night for e in here.bureau.events if isinstance(e, OpeningChanged)]
            assert told[-1] == "open"

    run_virtual(scene())


def test_a_group_that_its_hours_close_is_lit_too() -> None:
    """Dark means that callers get through. A press then opens it by hand."""

    async def scene() -> None:
        saturdays = office(hours=Hours.of(["sat 10:00-11:00"]))  # NOW is a Wednesday
        async with room(NIGHT, directory=saturdays) as here:
            assert await here.look(27) == STEADY
            await here.press(17)
            assert await here.look(27) == DARK
            assert here.bureau.port.opening("support").switch.night is Night.OPEN

    run_virtual(scene())


def test_the_lamp_asks_what_is_true() -> None:
    """An event says that something has changed; what is shown is what holds."""

    async def scene() -> None:
        async with room(NIGHT) as here:
            here.bureau.port.publish(OpeningChanged(NOW, "support", False, "hours", None, None))
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_a_group_that_is_not_the_desks_own_is_refused() -> None:
    """Anna is no member of sales; her button is refused and nothing is switched."""
    foreign = DeskSettings("anna", "anna", (button(17, "night sales"),), (lamp(27, "night sales"),))

    async def scene() -> None:
        async with room(foreign) as here:
            await here.press(17)
            assert here.bureau.port.opening("sales").open
            assert [e.code for e in here.bureau.events if isinstance(e, CommandRefused)] == ["not_allowed"]

    run_virtual(scene())


def test_a_pause_button_and_the_way_back() -> None:
    """`pause` blinks slowly; `login` ends a pause, so that two buttons are enough."""

    async def scene() -> None:
        async with room(PAUSE) as here:
            await here.press(18)
            assert await here.look(27) == STEADY
            await here.press(17)
            seen = await here.look(27)
            assert "#" in seen and "." in seen
            await here.press(18)
            assert await here.look(27) == STEADY

    run_virtual(scene())


def test_two_buttons_of_one_member_at_the_same_moment() -> None:
    """In and out pressed together end in one state, and every lamp shows that."""
    both = DeskSettings(
        "anna", "anna", (button(17, "toggle support"), button(18, "toggle support")), (lamp(27, "login support"),)
    )

    async def scene() -> None:
        async with room(both, directory=office()) as here:
            here.bureau.paper.free.clear()
            for pin in (17, 18):
                here.board.press(pin)
            await asyncio.sleep(0.05)
            for pin in (17, 18):
                here.board.release(pin)
            await asyncio.sleep(0.05)
            here.bureau.paper.free.set()
            await asyncio.sleep(0.05)
            assert not here.bureau.port.login("support", "anna").logged_in
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_a_press_while_the_bridge_ends_is_refused_and_no_lamp_lies() -> None:
    """What was asked for too late has not happened."""

    async def scene() -> None:
        async with room(PAUSE) as here:
            here.bureau.port.close()
            here.board.press(18)
            await asyncio.sleep(0.03)
            assert (await here.look(27, 1.0)).count("#.") == 3
            assert await here.look(27) == DARK
            late = LoginCommand(LoginVerb.LOGIN, "support", "anna")
            assert (await here.bureau.port.submit(late, OWNER, Origin.CONTROL)).code == "unavailable"

    run_virtual(scene())
