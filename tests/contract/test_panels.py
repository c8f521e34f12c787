"""What every panel does: one at a real pseudo terminal, and the simulated one that ships."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from hardware.panel import Panel
from hardware.panel_protocol import SILENCE
from hardware.serial_panel import SerialPanel
from hardware.simulated_panel import SimulatedPanel
from tests.support.panels import Ear
from tests.support.ptypanel import PtyPanel

NUMBERS = {number: "" for number in range(1, 9)}


class Rig(Protocol):
    """A panel, and fingers and eyes at it."""

    panel: Panel

    def move(self, key: int, pressed: bool) -> None:
        """Press or release."""

    def lit(self, lamp: int) -> bool:
        """Look."""

    def pull(self) -> None:
        """Pull it out."""

    def plug(self) -> None:
        """Plug it in again."""


class AtPty(Rig):
    bytewise = False

    def __init__(self, directory: Path) -> None:
        self.far = PtyPanel(directory / "panel", bytewise=self.bytewise)
        self.far.plug()
        self.panel = SerialPanel(str(self.far.path), look_again=0.05)
        for name in ("move", "lit", "pull", "plug"):
            setattr(self, name, getattr(self.far, name))


class ByteByByte(AtPty):
    bytewise = True


class Simulated(Rig):
    def __init__(self, directory: Path) -> None:
        panel = self.panel = SimulatedPanel(NUMBERS, NUMBERS)
        for name in ("move", "lit", "pull", "plug"):
            setattr(self, name, getattr(panel, name))


async def until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Wait on the loop until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.002)


Scene = Callable[[Rig, Ear], Any]


@pytest.fixture(params=[AtPty, ByteByByte, Simulated])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Scene], None]:
    """Return what plays a scene with each panel, once the panel is there."""

    async def run(scene: Scene) -> None:
        rig: Rig = request.param(tmp_path)
        ear = Ear()
        try:
            rig.panel.start(ear)
            await until(lambda: ear.here, "the panel is there")
            await scene(rig, ear)
        finally:
            rig.panel.close()
            rig.panel.close()
            if isinstance(rig, AtPty):
                rig.far.pull()

    return lambda scene: asyncio.run(run(scene))


Play = Callable[[Scene], None]


def test_a_panel_that_is_plugged_in_tells_what_it_is(play: Play) -> None:
    """Protocol version, firmware, counts, boot word."""

    async def scene(rig: Rig, ear: Ear) -> None:
        hello = ear.here[0]
        assert (hello.version, hello.firmware, hello.keys, hello.lamps, hello.down) == (1, "1.0", 8, 8, 0)
        assert ear.gone == []

    play(scene)


def test_a_key_is_told_when_it_goes_down_and_up(play: Play) -> None:
    """Once each, with when the key moved by the loop's clock."""

    async def scene(rig: Rig, ear: Ear) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        rig.move(3, True)
        await until(lambda: ear.moves, "down")
        rig.move(3, False)
        await until(lambda: len(ear.moves) > 1, "up")
        rig.move(4, True)
        await until(lambda: ear.moves[-1][0] == 4, "another one, after all that there was to tell of the first")
        assert [move[:2] for move in ear.moves] == [(3, True), (3, False), (4, True)]
        assert before - 0.005 <= ear.moves[0][2] < ear.moves[1][2] <= loop.time()

    play(scene)


def test_a_key_that_is_held_is_told_again_and_again(play: Play) -> None:
    """So that a hold is known to be one."""

    async def scene(rig: Rig, ear: Ear) -> None:
        rig.move(2, True)
        await until(lambda: ear.masks.count(0b10) >= 5, "held")
        rig.move(2, False)
        await until(lambda: ear.masks[-1] == 0, "released")

    play(scene)


def test_lamps_show_what_they_are_told(play: Play) -> None:
    """Each for itself."""

    async def scene(rig: Rig, ear: Ear) -> None:
        for lamp in NUMBERS:
            rig.panel.show(lamp, "off")
        rig.panel.show(1, "steady")
        rig.panel.show(8, "steady")
        await until(lambda: [lamp for lamp in NUMBERS if rig.lit(lamp)] == [1, 8], "lit")
        rig.panel.show(1, "off")
        await until(lambda: [lamp for lamp in NUMBERS if rig.lit(lamp)] == [8], "one is off")
        rig.panel.show(1, "blink-fast")
        for lit in (True, False) * 3:
            await until(lambda lit=lit: rig.lit(1) is lit, "it blinks")  # type: ignore[misc]

    play(scene)


def test_a_lamp_that_is_not_there_is_told_of(play: Play) -> None:
    """Once, and it is not tried for ever."""

    async def scene(rig: Rig, ear: Ear) -> None:
        rig.panel.show(9, "steady")
        await until(lambda: ear.lacking, "told")
        rig.panel.show(1, "steady")
        await until(lambda: rig.lit(1), "one that is there is lit")
        rig.move(1, True)
        await until(lambda: ear.moves, "and what the panel says after that is heard")
        assert ear.lacking == [9]

    play(scene)


def test_a_panel_that_is_pulled_is_noticed_at_once_and_one_that_comes_back_is_told_all_lamps(play: Play) -> None:
    """Also what changed while it was away; a key that was down when it went is no press afterwards."""

    async def scene(rig: Rig, ear: Ear) -> None:
        rig.panel.show(1, "steady")
        await until(lambda: rig.lit(1), "lit")
        pulled = time.monotonic()
        rig.pull()
        await until(lambda: ear.gone, "gone")
        assert time.monotonic() - pulled < SILENCE / 1000
        rig.panel.show(2, "steady")
        rig.plug()
        await until(lambda: len(ear.here) > 1, "here again")
        await until(lambda: rig.lit(1) and rig.lit(2), "lit again")
        assert ear.gone == ["it is not plugged in"]
        assert ear.here[0].boot != ear.here[1].boot
        assert ear.moves == []

    play(scene)


def test_pulled_in_mid_press_ten_times(play: Play) -> None:
    """Whatever was half said does no harm."""

    async def scene(rig: Rig, ear: Ear) -> None:
        for times in range(10):
            rig.move(1, True)
            await asyncio.sleep(0.026)
            rig.pull()
            rig.plug()
            rig.move(1, False)
            await until(lambda times=times: len(ear.here) == times + 2, "here again")  # type: ignore[misc]
        rig.panel.show(1, "steady")
        await until(lambda: rig.lit(1), "lit")

    play(scene)


def test_a_closed_panel_tells_nothing_more(play: Play) -> None:
    """And shows by itself that the bridge is gone."""

    async def scene(rig: Rig, ear: Ear) -> None:
        rig.panel.show(1, "steady")
        await until(lambda: rig.lit(1), "lit")
        rig.panel.close()
        await until(lambda: not rig.lit(1), "no longer steady")
        rig.move(1, True)
        await asyncio.sleep(0.1)
        assert (ear.moves, ear.gone) == ([], [])

    play(scene)
