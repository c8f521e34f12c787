"""A desk with a panel, on virtual time: the same presses, the same confirmed lamps as at pins."""

from __future__ import annotations

import asyncio

from bridge.commands.model import OWNER, LoginCommand, LoginVerb
from bridge.desk.model import DeskSettings
from bridge.desk.panel import PRESSES_A_SECOND, PRESSES_AT_ONCE, Budget
from bridge.directory.logins import Origin
from bridge.directory.model import LastOut
from bridge.events import CommandRefused, DeskPressed, LoginChanged, Notice, PanelChanged
from hardware.simulated_panel import SimulatedPanel
from tests.support.clock import run_virtual
from tests.support.desks import Room, button, lamp, room
from tests.support.office import office

PATH = "/dev/serial/by-id/usb-panel"
ANNA = DeskSettings(
    "anna",
    "anna",
    (button(None, "toggle support", "logout all", key=1), button(None, "login support", key=2)),
    (lamp(None, "login support", lamp=1), lamp(None, "bridge", lamp=2)),
    panel=PATH,
)
STEADY, DARK = "#" * 80, "." * 80


async def panel_of(here: Room) -> SimulatedPanel:
    """Return Anna's panel once it is there."""
    await asyncio.sleep(0.1)
    return here.panels["anna"]


async def press(panel: SimulatedPanel, key: int, seconds: float = 0.1) -> None:
    """Press a key for so long, and wait until that counts."""
    panel.move(key, True)
    await asyncio.sleep(seconds)
    panel.move(key, False)
    await asyncio.sleep(0.05)


async def look(here: Room, number: int = 1, seconds: float = 4.0) -> str:
    """Watch a lamp of the panel."""
    panel = here.panels["anna"]
    return await here.watch(lambda: panel.lit(number), seconds)


def test_a_key_logs_in_and_the_lamp_is_steady_once_it_is_written() -> None:
    """The same as at pins: flash, then steady; out again the same way, and the door is the panel's."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            assert await look(here) == DARK
            here.bureau.paper.free.clear()
            await press(panel, 1)
            assert (await look(here, seconds=3.0)).count(".#") in (2, 3)
            here.bureau.paper.free.set()
            await asyncio.sleep(0.05)
            assert await look(here) == STEADY
            assert here.bureau.port.login("support", "anna").origin is Origin.PANEL
            await press(panel, 1)
            assert await look(here) == DARK

    run_virtual(scene())


def test_a_key_without_a_hold_acts_as_soon_as_it_is_stable() -> None:
    """25 ms after the edge and not when it is released."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            panel.move(2, True)
            await asyncio.sleep(0.04)
            assert here.bureau.port.login("support", "anna").logged_in

    run_virtual(scene())


def test_holding_is_told_from_a_short_press() -> None:
    """0.8 s, and at the latest 0.1 s more: the hold's action and not the press's."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            await press(panel, 1, 0.75)
            assert here.bureau.port.login("support", "anna").logged_in
            panel.move(1, True)
            await asyncio.sleep(0.78)
            assert here.bureau.port.login("support", "anna").logged_in
            await asyncio.sleep(0.15)
            assert not here.bureau.port.login("support", "anna").logged_in
            panel.move(1, False)
            await asyncio.sleep(0.1)
            gestures = [e.gesture for e in here.bureau.events if isinstance(e, DeskPressed)]
            assert gestures == ["press", "hold"]

    run_virtual(scene())


def test_refused_is_three_flashes_and_the_truth_again() -> None:
    """The reason is an event."""

    async def scene() -> None:
        async with room(ANNA, directory=office(last_out=LastOut.REFUSE)) as here:
            panel = await panel_of(here)
            await press(panel, 1)
            assert await look(here, seconds=1.0) == "#" * 20
            await press(panel, 1)
            assert (await look(here, seconds=1.2)).count(".#") == 3 + 1
            assert await look(here) == STEADY
            assert [e.code for e in here.bureau.events if isinstance(e, CommandRefused)] == ["last_one"]

    run_virtual(scene())


def test_a_panel_that_comes_back_shows_what_is_true_by_then() -> None:
    """Somebody else logs Anna in while her panel is pulled."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            panel.pull()
            await here.bureau.port.submit(LoginCommand(LoginVerb.LOGIN, "support", "anna"), OWNER, Origin.MQTT)
            panel.plug()
            await asyncio.sleep(0.1)
            assert await look(here) == STEADY
            told = [(e.state, e.reason) for e in here.bureau.events if isinstance(e, PanelChanged)]
            assert told == [("here", ""), ("gone", "it is not plugged in"), ("here", "")]
            assert here.desks.panels["anna"].state == "here"

    run_virtual(scene())


def test_a_panel_that_is_pulled_in_mid_press_promises_nothing() -> None:
    """The key was down and had not meant anything yet: no flash is left, and nothing is done."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            panel.move(1, True)
            await asyncio.sleep(0.1)
            panel.pull()
            await asyncio.sleep(1)
            panel.plug()
            await asyncio.sleep(0.1)
            assert await look(here) == DARK
            assert here.bureau.paper.commits == 0
            await press(panel, 1)
            assert await look(here) == STEADY

    run_virtual(scene())


def test_a_key_that_is_down_when_the_panel_comes_means_nothing_until_it_is_released() -> None:
    """A stuck key, or a finger on it, is no press."""

    async def scene() -> None:
        async with room(ANNA) as here:
            panel = await panel_of(here)
            panel.pull()
            panel.plug()
            panel.move(1, True)
            await asyncio.sleep(3)
            panel.pull()
            panel.move(1, True)
            panel.plug()
            commits = here.bureau.paper.commits
            await asyncio.sleep(3)
            panel.move(1, False)
            await asyncio.sleep(1)
            assert here.bureau.paper.commits == commits

    run_virtual(scene())


def test_keys_and_lamps_that_the_panel_has_not_are_told_with_their_key_path() -> None:
    """Once, when the panel comes."""
    desk = DeskSettings(
        "anna", "anna", (button(None, "toggle support", key=9),), (lamp(None, "bridge", lamp=12),), panel=PATH
    )

    async def scene() -> None:
        async with room(desk) as here:
            await asyncio.sleep(5)
            assert [e.text for e in here.bureau.events if isinstance(e, Notice)] == [
                "desks.anna.buttons[0]: the panel has 8 keys; there is no key 9",
                "desks.anna.lamps[0]: the panel has 8 lamps; there is no lamp 12",
            ]

    run_virtual(scene())


def test_a_panel_that_spams_is_not_believed() -> None:
    """A thousand presses in a few seconds: a handful is acted on, the rest passed over, and that is said once."""

    async def scene() -> None:
        async with room(ANNA) as here:
            await panel_of(here)
            [opened] = here.desks._opened.values()
            desk = opened.panel
            assert desk is not None
            loop = asyncio.get_running_loop()
            for _ in range(1000):
                desk.panel_key(2, True, loop.time())
                desk.panel_key(2, False, loop.time())
                await asyncio.sleep(0.002)
            done = len([e for e in here.bureau.events if isinstance(e, DeskPressed)])
            assert done <= PRESSES_AT_ONCE + PRESSES_A_SECOND * 2.1
            assert len([e for e in here.bureau.events if isinstance(e, Notice)]) == 1

    run_virtual(scene())


def test_a_budget_is_used_up_and_comes_back() -> None:
    """So many at once, so many a second; the first that is too many is told."""
    budget = Budget(2, 1.0)
    assert [budget.take(10.0) for _ in range(4)] == [(True, False), (True, False), (False, True), (False, False)]
    assert budget.take(11.0) == (True, False)
    assert budget.take(11.5) == (False, False)
    assert budget.take(60.0) == (True, False)


def test_a_lamp_at_a_pin_and_one_on_a_panel_show_the_same() -> None:
    """Two desks of one member."""
    pins = DeskSettings("pins", "anna", (button(17, "toggle support"),), (lamp(27, "login support"),))

    async def scene() -> None:
        async with room(ANNA, pins) as here:
            panel = await panel_of(here)
            await press(panel, 1)
            assert await look(here) == await here.look(27) == STEADY
            await here.press(17)
            assert await look(here) == await here.look(27) == DARK
            assert len([e for e in here.bureau.events if isinstance(e, LoginChanged)]) == 2

    run_virtual(scene())
