"""Buttons to commands, confirmed states to lamps, on virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from bridge.calls.ordered.orders import Answer, Order
from bridge.calls.status import CallStatus, LineState, TrunkStatus
from bridge.commands.model import OWNER, Actor, Kind, LoginCommand, LoginVerb, Reply
from bridge.desk.errors import DeskError
from bridge.desk.model import DeskSettings
from bridge.desk.opening import cautions
from bridge.desk.signals import Signal
from bridge.directory.logins import Origin
from bridge.directory.model import LastOut
from bridge.events import CommandRefused, DeskPressed, LineChanged, TrunkChanged
from hardware.simulated import SimulatedBoard
from tests.support.clock import VirtualLoop, run_virtual
from tests.support.desks import Room, button, desks_at, lamp, room
from tests.support.office import NOW, office
from tests.support.paper import bureau

ANNA = DeskSettings("anna", "anna", (button(17, "toggle support", "logout all"),), (lamp(27, "login support"),))
QUICK = DeskSettings("anna", "anna", (button(17, "toggle support"),), (lamp(27, "login support"),))
STEADY, DARK = "#" * 80, "." * 80


def said(here: Room) -> list[str]:
    """Return the types of all events."""
    return [event.type for event in here.bureau.events]


def tell_line(here: Room, line: str, state: LineState) -> None:
    """Let a line's state change."""
    here.bureau.telephony.states[line] = state
    here.bureau.port.publish(LineChanged(NOW, line, state.value))


def tell_trunks(here: Room, **states: str) -> None:
    """Let trunks be so."""
    here.bureau.telephony.known_trunks = [TrunkStatus(name, state, NOW) for name, state in states.items()]
    here.bureau.port.publish(TrunkChanged(NOW, *next(iter(states.items())), ""))


def test_a_press_logs_in_and_the_lamp_is_steady_once_it_is_written() -> None:
    """Pressed: a short flash at once. Steady only when the store has it; out again the same way."""

    async def scene() -> None:
        async with room(QUICK) as here:
            assert await here.look(27) == DARK
            here.bureau.paper.free.clear()
            await here.press(17)
            assert await here.look(27, 0.5) == "..........", "the flash was during the press; nothing is confirmed"
            assert not here.bureau.port.login("support", "anna").logged_in
            here.bureau.paper.free.set()
            await asyncio.sleep(0.01)
            assert await here.look(27) == STEADY
            assert here.bureau.port.login("support", "anna").origin is Origin.BUTTON
            await here.press(17)
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_the_flash_comes_with_the_press_and_repeats_until_it_is_confirmed() -> None:
    """25 ms after the edge the lamp flashes; while nothing is known it flashes once a second."""

    async def scene() -> None:
        async with room(QUICK) as here:
            here.bureau.paper.free.clear()
            here.board.press(17)
            await asyncio.sleep(0.026)
            assert here.board.lit(27)
            assert (await here.look(27, 3.0)).count(".#") == 2
            here.bureau.paper.free.set()
            await asyncio.sleep(0.05)
            assert await here.look(27) == STEADY

    run_virtual(scene())


def test_a_button_with_a_hold_flashes_as_soon_as_it_is_down() -> None:
    """The finger is told at once that it was felt, though what it means is known later."""

    async def scene() -> None:
        async with room(ANNA) as here:
            here.board.press(17)
            await asyncio.sleep(0.026)
            assert here.board.lit(27)
            assert here.bureau.paper.commits == 0
            here.board.release(17)
            await asyncio.sleep(0.03)
            assert await here.look(27) == STEADY

    run_virtual(scene())


def test_holding_logs_out_of_all_groups() -> None:
    """0.8 s: the hold's action and not the press's."""

    async def scene() -> None:
        async with room(ANNA) as here:
            await here.press(17)
            await here.press(17, 1.0)
            assert not here.bureau.port.login("support", "anna").logged_in
            assert await here.look(27) == DARK
            assert here.bureau.paper.commits == 2

    run_virtual(scene())


def test_refused_is_three_flashes_and_then_the_truth_and_the_reason_is_an_event() -> None:
    """The last one may not leave: three flashes, then the lamp is steady as before."""

    async def scene() -> None:
        async with room(QUICK, directory=office(last_out=LastOut.REFUSE)) as here:
            await here.press(17)
            assert await here.look(27, 1.0) == "#" * 20
            here.board.press(17)
            await asyncio.sleep(0.03)
            flashes = await here.look(27, 1.2)
            assert flashes.count(".#") == 3 + 1, "three flashes, then steady again"
            assert await here.look(27) == STEADY
            refusals = [e for e in here.bureau.events if isinstance(e, CommandRefused)]
            assert [e.code for e in refusals] == ["last_one"]

    run_virtual(scene())


def test_a_full_disk_is_refused_and_the_lamp_does_not_lie() -> None:
    """What could not be written has not happened: three flashes, then dark."""

    async def scene() -> None:
        async with room(QUICK) as here:
            here.bureau.paper.broken = True
            here.board.press(17)
            await asyncio.sleep(0.03)
            assert (await here.look(27, 1.0)).count("#.") == 3
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_a_second_press_after_a_refusal_is_answered_for_itself() -> None:
    """A new press ends the flashes of the refusal before it."""

    async def scene() -> None:
        async with room(QUICK) as here:
            here.bureau.paper.broken = True
            here.board.press(17)
            await asyncio.sleep(0.05)
            here.board.release(17)
            await asyncio.sleep(0.05)
            here.bureau.paper.broken = False
            await here.press(17)
            assert await here.look(27) == STEADY

    run_virtual(scene())


def test_a_change_at_another_door_shows() -> None:
    """Somebody logs Anna in over MQTT: her lamp knows; pausing makes it blink slowly."""

    async def scene() -> None:
        async with room(QUICK) as here:
            for verb, expected in ((LoginVerb.LOGIN, STEADY), (LoginVerb.LOGOUT, DARK)):
                await here.bureau.port.submit(LoginCommand(verb, "support", "anna"), OWNER, Origin.MQTT)
                await asyncio.sleep(0.01)
                assert await here.look(27) == expected
            await here.bureau.port.submit(LoginCommand(LoginVerb.LOGIN, "support", "anna"), OWNER, Origin.MQTT)
            await here.bureau.port.submit(LoginCommand(LoginVerb.PAUSE, "support", "anna"), OWNER, Origin.MQTT)
            assert (await here.look(27, 10.0)).count(".#") in (4, 5)

    run_virtual(scene())


def test_a_login_by_another_door_while_the_button_waits_leaves_the_truth() -> None:
    """Button and MQTT at the same moment: the lamp shows how it ended."""

    async def scene() -> None:
        async with room(QUICK) as here:
            here.bureau.paper.free.clear()
            await here.press(17)
            other = asyncio.create_task(
                here.bureau.port.submit(LoginCommand(LoginVerb.LOGOUT, "support", "anna"), OWNER, Origin.MQTT)
            )
            await asyncio.sleep(0.1)
            here.bureau.paper.free.set()
            await other
            await asyncio.sleep(0.01)
            assert not here.bureau.port.login("support", "anna").logged_in
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_two_buttons_of_two_desks_for_one_member_show_the_same() -> None:
    """Both lamps follow, whichever was pressed."""
    upstairs = DeskSettings("upstairs", "anna", (button(5, "toggle support"),), (lamp(6, "login 600"),))

    async def scene() -> None:
        async with room(QUICK, upstairs) as here:
            await here.press(5)
            assert await here.look(27, 1.0) == await here.look(6, 1.0) == "#" * 20
            await here.press(17)
            assert await here.look(27, 1.0) == await here.look(6, 1.0) == "." * 20

    run_virtual(scene())


def test_a_desk_acts_in_the_name_of_its_member() -> None:
    """A user's desk as the user, a device's as the device; rights are asked of the one truth."""
    lobby = DeskSettings("lobby", "lobby", (button(5, "login support"),), (lamp(6, "login support"),))

    async def scene() -> None:
        async with room(lobby) as here:
            await here.press(5)
            assert await here.look(6) == STEADY
            login = here.bureau.port.login("support", "lobby")
            assert (login.by, login.permanent) == (Actor(Kind.DEVICE, "lobby").name, True)

    run_virtual(scene())


def test_ringing_blinks_fast_and_stops() -> None:
    """While the phone beside the desk rings, its login lamp and its ringing lamp blink fast."""
    desk = DeskSettings("anna", "anna", (), (lamp(27, "login support"), lamp(22, "ringing"), lamp(23, "line ben")))

    async def scene() -> None:
        async with room(desk) as here:
            tell_line(here, "anna", LineState.RINGING)
            await asyncio.sleep(0.01)
            assert [(await here.look(pin, 2.0)).count(".#") >= 5 for pin in (27, 22, 23)] == [True, True, False]
            tell_line(here, "anna", LineState.BUSY)
            tell_line(here, "ben", LineState.BUSY)
            await asyncio.sleep(0.01)
            assert [await here.look(pin) for pin in (27, 22, 23)] == [DARK, DARK, STEADY]

    run_virtual(scene())


def test_a_lost_trunk_blinks_doubly_and_comes_back() -> None:
    """The bridge cannot reach the PBX: login lamps and the bridge's own lamp say so; logged in comes after it."""
    desk = DeskSettings("anna", "anna", QUICK.buttons, (lamp(27, "login support"), lamp(22, "bridge")))

    async def scene() -> None:
        async with room(desk) as here:
            assert await here.look(22) == STEADY
            await here.press(17)
            tell_trunks(here, pbx="lost")
            await asyncio.sleep(0.01)
            assert [(await here.look(pin, 8.0)).count("#.") in (7, 8, 9) for pin in (27, 22)] == [True, True]
            tell_trunks(here, pbx="lost", other="registered")
            await asyncio.sleep(0.01)
            assert await here.look(27) == STEADY, "calls still come through the other one"
            tell_trunks(here, pbx="registered", other="trying")
            await asyncio.sleep(0.01)
            assert [await here.look(pin) for pin in (27, 22)] == [STEADY, DARK]

    run_virtual(scene())


def test_a_pick_up_where_nothing_rings_is_refused() -> None:
    """A button to pick up answers with three flashes, and the reason is told; a lamp without effect yet is dark."""
    desk = DeskSettings("anna", "anna", (button(17, "pickup support"),), (lamp(27, "waiting support"),))

    async def scene() -> None:
        async with room(desk) as here:
            here.board.press(17)
            await asyncio.sleep(0.03)
            assert (await here.look(27, 1.0)).count("#.") == 3
            assert await here.look(27) == DARK
            assert said(here) == ["desk_pressed", "command_refused"]

    run_virtual(scene())


def test_everything_that_cannot_be_opened_is_told_at_once_with_its_key_path() -> None:
    """A pin that is used twice and a pin that does not exist stop the start, and nothing stays open."""
    first = DeskSettings("anna", "anna", (button(17, "toggle support"),), (lamp(17, "login support"),))
    second = DeskSettings("ben", "ben", (button(28, "toggle support"),), (lamp(5, "login support"),))

    async def scene() -> None:
        async with bureau() as behind:
            board = SimulatedBoard()
            with pytest.raises(DeskError) as failed:
                desks_at((first, second), behind, board, {}).start()
            assert failed.value.problems == [
                "desks.anna.lamps[0]: gpio 17: desks.anna.buttons[0] has it already; each part needs its own pin",
                "desks.ben.buttons[0]: gpio 28: there is no such pin; right are 0 to 27 (BCM numbers)",
            ]
            assert (board.lamps, board.buttons) == ((), ())

    run_virtual(scene())


def test_pins_that_had_better_be_left_alone_are_warned_of() -> None:
    """2, 3, 14 and 15 have other uses on a Pi."""
    desk = DeskSettings("anna", "anna", (button(17, "logout all"), button(3, "logout all")), (lamp(14, "bridge"),))
    assert [w.partition(":")[0] for w in cautions([desk])] == ["desks.anna.buttons[1].gpio", "desks.anna.lamps[0].gpio"]


def test_closing_darkens_the_lamps_and_hears_no_button() -> None:
    """A bridge that has ended shows nothing; a press then does no harm."""

    async def scene() -> None:
        async with room(QUICK) as here:
            await here.press(17)
            lamps = here.board.lamps
            here.board.press(17)
            await asyncio.sleep(0.01)
            here.desks.close()
            await asyncio.sleep(1)
            assert [lamp.lit for lamp in lamps] == [False]
            assert here.bureau.port.login("support", "anna").logged_in
            tell_line(here, "anna", LineState.RINGING)
            await asyncio.sleep(1)

    run_virtual(scene())


def test_little_wakes_the_bridge_while_no_lamp_blinks_and_no_button_moves() -> None:
    """A minute at rest, a lamp steady: the pins are read again every two seconds, and no other timer is set."""

    async def scene() -> None:
        loop = cast(VirtualLoop, asyncio.get_running_loop())
        async with room(QUICK) as here:
            await here.press(17)
            await asyncio.sleep(1)
            before = loop.jumps
            await asyncio.sleep(60)
            assert loop.jumps in (before + 30, before + 31)

    run_virtual(scene())


def test_nothing_at_all_wakes_a_desk_without_buttons() -> None:
    """A lamp alone: a minute without a timer but the test's own."""

    async def scene() -> None:
        loop = cast(VirtualLoop, asyncio.get_running_loop())
        async with room(DeskSettings("anna", "anna", (), (lamp(27, "login support"),))):
            before = loop.jumps
            await asyncio.sleep(60)
            assert loop.jumps == before + 1

    run_virtual(scene())


def test_a_press_whose_edge_was_lost_is_found_by_reading_again() -> None:
    """The pin moved and nobody was told: within two seconds it counts, once; so does its release."""

    async def scene() -> None:
        async with room(QUICK) as here:
            [button] = here.board.buttons
            for expected in (STEADY, DARK):
                button._pressed = True
                await asyncio.sleep(2.1)
                button._pressed = False
                await asyncio.sleep(2.1)
                assert await here.look(27) == expected

    run_virtual(scene())


def test_each_press_and_hold_is_an_event() -> None:
    """With the desk, the place and what it does: for whoever watches."""

    async def scene() -> None:
        async with room(ANNA) as here:
            await here.press(17)
            await here.press(17, 1.0)
            told = [e.to_json() for e in here.bureau.events if isinstance(e, DeskPressed)]
            assert [(e["desk"], e["where"], e["gesture"], e["action"]) for e in told] == [
                ("anna", "gpio 17", "press", "toggle support"),
                ("anna", "gpio 17", "hold", "logout all"),
            ]

    run_virtual(scene())


def test_a_lamp_of_three_colours_shows_what_in_which() -> None:
    """Green for logged in, blue for ringing, yellow for paused; other colours where it is told so."""
    usual, own = lamp((5, 6, 13), "login support"), lamp((16, 20, 21), "login support")
    own = replace(own, colours={Signal.STEADY: "magenta"})

    async def scene() -> None:
        async with room(DeskSettings("anna", "anna", (button(17, "toggle support"),), (usual, own))) as here:
            colours = [part.colour for part in here.board.lamps]
            assert colours == [None, None]
            await here.press(17)
            assert [part.colour for part in here.board.lamps] == ["green", "magenta"]
            tell_line(here, "anna", LineState.RINGING)
            await asyncio.sleep(0.01)
            seen = set()
            for _ in range(20):
                await asyncio.sleep(0.05)
                seen |= {part.colour for part in here.board.lamps}
            assert seen == {None, "blue"}

    run_virtual(scene())


def test_buttons_for_the_own_line() -> None:
    """Dial, hang up and pick up act for the line of the desk's member, in that member's name."""
    buttons = (button(17, "pickup support", "hangup"), button(22, "dial 0301234"))
    desk = DeskSettings("anna", "anna", buttons, (lamp(27, "ringing"),))
    orders: list[Order] = []

    def carry(order: Order, answer: Answer) -> None:
        orders.append(order)
        answer(Reply({}))

    async def scene() -> None:
        async with room(desk) as here:
            here.bureau.port.carry = carry
            here.bureau.telephony.up = [
                CallStatus("c1", "hunting", "0305551", "", "600", "support", NOW, ringing=("anna",), rung=("anna",))
            ]
            await here.press(17)
            await here.press(22)
            await here.press(17, 1.0)
            assert [(str(order.verb), order.line, order.number, order.call) for order in orders] == [
                ("pickup", "anna", None, "c1"),
                ("dial", "anna", "0301234", None),
                ("hangup", "anna", None, None),
            ]
            assert {(order.by, order.origin) for order in orders} == {("anna", "button")}
            assert await here.look(27) == DARK, "done: no flash of refusal"

    run_virtual(scene())
