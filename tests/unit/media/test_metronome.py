"""The timer of all streams, on a loop whose time is virtual."""

from __future__ import annotations

import asyncio

import pytest

from bridge.media.metronome import Metronome
from tests.support.clock import VirtualLoop, run_virtual


class Counted:
    """A player that notes its beats; it leaves after `last` of them."""

    def __init__(self, metronome: Metronome, last: int = 1_000_000) -> None:
        self.beats: list[float] = []
        self.missed = 0
        self._metronome = metronome
        self._last = last

    def beat(self) -> None:
        """Note when."""
        self.beats.append(asyncio.get_running_loop().time())
        if len(self.beats) == self._last:
            self._metronome.leave(self)

    def miss(self, frames: int) -> None:
        """Note what was left out."""
        self.missed += frames


def jumps() -> int:
    """Return how often the loop was woken by a timer."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.jumps


def test_every_player_is_told_every_20_ms() -> None:
    """From within 20 ms on, whenever it joined, for ever at the same pace: 60 s are 3,000 beats."""

    async def scene() -> None:
        metronome = Metronome()
        players = []
        for number in range(10):
            await asyncio.sleep(0.0031 * number)
            players.append((asyncio.get_running_loop().time(), Counted(metronome)))
            metronome.join(players[-1][1])
        await asyncio.sleep(60)
        end = asyncio.get_running_loop().time()
        for joined, player in players:
            first, last = player.beats[0], player.beats[-1]
            assert first - joined <= 0.021 and end - last <= 0.021
            assert len(player.beats) == round((last - first) / 0.02) + 1 and not player.missed
            gaps = [b - a for a, b in zip(player.beats, player.beats[1:], strict=False)]
            assert max(abs(gap - 0.02) for gap in gaps) < 0.0021, "a timer of the loop is as exact as a millisecond"

    run_virtual(scene())


def test_players_are_spread_over_the_phases() -> None:
    """No turn of the loop sends for more than a quarter of them."""

    async def scene() -> None:
        metronome = Metronome()
        players = [Counted(metronome) for _ in range(100)]
        for player in players:
            metronome.join(player)
        await asyncio.sleep(0.5)
        at: dict[float, int] = {}
        for player in players:
            for beat in player.beats:
                at[beat] = at.get(beat, 0) + 1
        assert max(at.values()) == 25

    run_virtual(scene())


def test_nothing_runs_while_nobody_listens() -> None:
    """One that has left is told nothing more; once the last is gone, no timer wakes the program."""

    async def scene() -> None:
        metronome = Metronome()
        first, second = Counted(metronome, 3), Counted(metronome, 5)
        metronome.join(first)
        metronome.join(second)
        await asyncio.sleep(1)
        assert (len(first.beats), len(second.beats)) == (3, 5)
        before = jumps()
        await asyncio.sleep(100)
        assert jumps() == before + 1
        metronome.join(first)
        await asyncio.sleep(0.1)
        assert len(first.beats) > 3

    run_virtual(scene())


@pytest.mark.parametrize(("late", "missed"), [(0.05, 0), (0.09, 0), (0.5, 25), (10.0, 500)])
def test_a_program_that_was_held_up(late: float, missed: int) -> None:
    """A little is made up for; more is left out, since nobody wants to hear what was to be heard long ago."""

    async def scene() -> None:
        metronome, loop = Metronome(), asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        player = Counted(metronome)
        metronome.join(player)
        await asyncio.sleep(0.1)
        loop.now += late
        await asyncio.sleep(0.1)
        assert abs(player.missed - missed) <= 1
        passed = (player.beats[-1] - player.beats[0]) / 0.02
        assert abs(len(player.beats) + player.missed - 1 - passed) <= 1

    run_virtual(scene())
