"""The simulated board in a terminal: a real pty, typed on and looked at."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import select
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO, cast

from hardware.model import LampWiring
from hardware.simulated import SimulatedBoard
from hardware.terminal import Terminal
from tests.support.clock import run_virtual
from tests.support.panels import Ear
from tests.support.process import PATIENCE, wait_until

MARK = "\x1f"


class Screen:
    """The far side of a terminal. The kernel carries bytes across in its own time, so both ways are waited for."""

    def __init__(self, master: int, slave: int) -> None:
        self._master = master
        self._slave = slave

    def type(self, keys: str) -> None:
        """Type, and return when the keys can be read."""
        os.write(self._master, keys.encode())
        wait_until(lambda: self._readable() == len(keys), f"{keys!r} has come across")

    def _readable(self) -> int:
        counted: int = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))[0]
        return counted

    def read(self) -> str:
        """Return what was written since the last look."""
        os.write(self._slave, MARK.encode())
        text = b""
        while not text.endswith(MARK.encode()):
            assert select.select([self._master], [], [], PATIENCE)[0], text
            text += os.read(self._master, 4096)
        return text.decode().removesuffix(MARK).replace("\r\n", "\n")


@asynccontextmanager
async def terminal(board: SimulatedBoard) -> AsyncIterator[tuple[Terminal, Screen, TextIO]]:
    """Open a terminal on a pty."""
    master, slave = pty.openpty()
    reading = open(slave, encoding="utf-8")  # noqa: SIM115
    writing = open(os.dup(slave), "w", encoding="utf-8")  # noqa: SIM115
    made = Terminal(board, reading, writing)
    assert made.open()
    try:
        yield made, Screen(master, slave), writing
    finally:
        made.close()
        reading.close()
        writing.close()
        os.close(master)


def board() -> SimulatedBoard:
    """Return a board with two buttons and two lamps."""
    made = SimulatedBoard()
    made.button(17, "desks.anna.buttons[0]", "anna: toggle support")
    made.button(5, "desks.ben.buttons[0]", "")
    made.lamp(LampWiring((27,)), "desks.anna.lamps[0]", "anna: login support")
    made.lamp(LampWiring((22,)), "desks.anna.lamps[1]", "anna: bridge")
    return made


def test_the_legend_says_which_key_is_which_button() -> None:
    """A button without a title is told by its place; the lamps are one line."""

    async def scene() -> None:
        async with terminal(board()) as (_, screen, _):
            said = screen.read()
            assert "  1  anna: toggle support\n  2  desks.ben.buttons[0]\n" in said
            assert said.endswith("\r\x1b[K○ anna: login support   ○ anna: bridge")

    run_virtual(scene())


def test_a_key_presses_its_button_and_lets_go() -> None:
    """Long enough for the filter, too short for a hold; keys without a button do nothing."""

    async def scene() -> None:
        made = board()
        edges: list[tuple[bool, float]] = []
        clock = asyncio.get_running_loop().time
        made.buttons[0].on_change(lambda pressed: edges.append((pressed, clock())))
        async with terminal(made) as (_, screen, _):
            screen.type("931")
            await asyncio.sleep(2)
            (down, at), (up, until) = edges
            assert (down, up) == (True, False)
            assert 0.05 < until - at < 0.5

    run_virtual(scene())


def test_h_before_a_key_holds_it() -> None:
    """More than 0.8 s; the next key is an ordinary press again."""

    async def scene() -> None:
        made = board()
        times: list[float] = []
        clock = asyncio.get_running_loop().time
        made.buttons[0].on_change(lambda pressed: times.append(clock()))
        async with terminal(made) as (_, screen, _):
            screen.type("h1")
            await asyncio.sleep(2)
            screen.type("1")
            await asyncio.sleep(2)
            assert times[1] - times[0] > 0.8
            assert times[3] - times[2] < 0.8

    run_virtual(scene())


def test_lamps_are_drawn_again_only_when_one_has_changed() -> None:
    """Two that change at the same moment are drawn once; a lamp set to what it is draws nothing."""

    async def scene() -> None:
        made = board()
        async with terminal(made) as (_, screen, _):
            screen.read()
            for lamp in made.lamps:
                lamp.set(True)
            await asyncio.sleep(0.01)
            assert screen.read() == "\r\x1b[K● anna: login support   ● anna: bridge"
            made.lamps[0].set(True)
            await asyncio.sleep(1)
            assert screen.read() == ""

    run_virtual(scene())


def test_logs_are_written_above_the_lamps_in_whole_lines() -> None:
    """The line of lamps is taken away, the log is written, the line is drawn again."""

    async def scene() -> None:
        async with terminal(board()) as (made, screen, writing):
            screen.read()
            log = made.above(writing)
            log.write("half a ")
            assert screen.read() == ""
            log.write("line\n")
            assert screen.read() == "\r\x1b[Khalf a line\n\r\x1b[K○ anna: login support   ○ anna: bridge"

    run_virtual(scene())


def test_a_line_that_is_wider_than_the_terminal_is_cut() -> None:
    """It would wrap, and could not be taken away again."""

    async def scene() -> None:
        async with terminal(board()) as (made, _, writing):
            termios.tcsetwinsize(writing.fileno(), (24, 20))
            assert made.line() == "○ anna: login suppo"

    run_virtual(scene())


def test_the_terminal_is_given_back_as_it_was() -> None:
    """Echo and line editing return, the line is gone."""

    async def scene() -> None:
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        with open(slave, encoding="utf-8") as reading, open(os.dup(slave), "w", encoding="utf-8") as writing:
            made = Terminal(board(), reading, writing)
            made.open()
            assert termios.tcgetattr(slave) != before
            made.close()
            assert termios.tcgetattr(slave) == before
            assert Screen(master, writing.fileno()).read().endswith("\r\x1b[K")
            assert not made.is_open
        os.close(master)

    run_virtual(scene())


def test_where_there_is_no_terminal_nothing_is_done() -> None:
    """Output into a file or a pipe: no keys, no lamps, and logs pass."""

    async def scene() -> None:
        out = cast(TextIO, io.StringIO())
        made = Terminal(board(), cast(TextIO, io.StringIO()), out)
        assert made.open() is False
        made.above(out).write("a line\n")
        assert cast(io.StringIO, out).getvalue() == "a line\n"
        made.close()

    run_virtual(scene())


def test_a_terminal_that_goes_away_ends_nothing() -> None:
    """Hung up: no key will come any more."""

    async def scene() -> None:
        master, slave = pty.openpty()
        with open(slave, encoding="utf-8") as reading, open(os.dup(slave), "w", encoding="utf-8") as writing:
            made = Terminal(board(), reading, writing)
            made.open()
            os.close(master)
            await asyncio.sleep(0.1)
            made.close()
            assert not made.is_open

    run_virtual(scene())


def test_a_panel_beside_the_board_has_keys_and_lamps_like_any_other() -> None:
    """They come after the board's; a lamp of three colours tells which it shows."""

    async def scene() -> None:
        made = board()
        made.lamp(LampWiring((6, 12, 13)), "desks.ben.lamps[0]", "ben").set(True, "green")
        panel = made.panel({1: "cara: login support"}, {1: "cara: ringing"})
        ear = Ear()
        panel.start(ear)
        await asyncio.sleep(0.1)
        panel.show(1, "steady")
        await asyncio.sleep(0.1)
        async with terminal(made) as (_, screen, _):
            said = screen.read()
            assert "  3  cara: login support\n" in said
            assert said.endswith("● ben (green)   ● cara: ringing")
            screen.type("3")
            await asyncio.sleep(1)
            assert [move[:2] for move in ear.moves] == [(1, True), (1, False)]
        panel.close()

    run_virtual(scene())
