"""What the owner may ask of the desks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.commands.model import CommandError
from bridge.desk.answers import DeskAnswers
from bridge.desk.model import DeskSettings
from bridge.desk.signals import Signal
from tests.support.clock import run_virtual
from tests.support.desks import button, lamp, room

PINS = DeskSettings("anna", "anna", (button(17, "toggle support", "logout all"),), (lamp(27, "login support"),))
PANEL = DeskSettings(
    "ben", "ben", (button(None, "login support", key=1),), (lamp(None, "bridge", lamp=1),), panel="/dev/panel"
)


def test_the_list_tells_what_stands_where_and_how_it_is() -> None:
    """Members, panels, buttons with what they do, lamps with what they show."""

    async def scene() -> None:
        async with room(PINS, PANEL) as here:
            await asyncio.sleep(0.1)
            here.board.press(17)
            listed = (await DeskAnswers(here.desks).list({}))["desks"]
            assert listed["anna"] == {
                "member": "anna",
                "panel": None,
                "buttons": [{"at": "gpio 17", "press": "toggle support", "hold": "logout all", "pressed": False}],
                "lamps": [{"at": "gpio 27", "shows": "login support", "signal": "off"}],
            }
            panel = listed["ben"]["panel"]
            assert (panel["path"], panel["state"], panel["keys"], panel["lamps"]) == ("/dev/panel", "here", 8, 8)
            assert listed["ben"]["lamps"] == [{"at": "lamp 1", "shows": "bridge", "signal": "steady"}]

    run_virtual(scene())


def test_every_signal_can_be_seen_and_the_truth_comes_back() -> None:
    """Lamps at pins and on panels; while one is asked for after the other the truth does not come in between."""

    async def scene() -> None:
        async with room(PINS, PANEL) as here:
            answers = DeskAnswers(here.desks)
            for signal in Signal:
                data = await answers.try_signal({"signal": signal.value, "seconds": 1})
                assert data == {"signal": signal.value, "lamps": 2}
                assert {face.shown for desk in here.desks.desks for face in desk.faces} == {signal}
            await asyncio.sleep(0.5)
            assert [face.shown for desk in here.desks.desks for face in desk.faces] == [Signal.OFF, Signal.STEADY]

    run_virtual(scene())


def test_one_desk_alone_can_be_tried() -> None:
    """The others go on to show the truth."""

    async def scene() -> None:
        async with room(PINS, PANEL) as here:
            trying = asyncio.create_task(DeskAnswers(here.desks).try_signal({"desk": "anna", "signal": "steady"}))
            await asyncio.sleep(0.5)
            assert here.board.lit(27)
            assert (await trying)["lamps"] == 1
            await asyncio.sleep(0.5)
            assert not here.board.lit(27)

    run_virtual(scene())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"signal": "steady", "desk": "bob"}, "there is no desk 'bob'; desks are: anna"),
        ({"signal": "sing"}, "there is no signal 'sing'; signals are: off, steady, blink slow"),
        ({"signal": "off", "seconds": 3600}, "seconds: right is a number up to 10"),
        ({"signal": "off", "seconds": "long"}, "seconds: right is a number up to 10"),
        ({"signal": "off", "colour": "red"}, "desk_try has no argument 'colour'; it takes: desk, signal, seconds"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(arguments: dict[str, Any], said: str) -> None:
    """With what would be right."""

    async def scene() -> None:
        async with room(PINS) as here:
            with pytest.raises(CommandError) as refused:
                await DeskAnswers(here.desks).try_signal(arguments)
            assert str(refused.value).startswith(said)

    run_virtual(scene())
