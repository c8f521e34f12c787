"""A desk beside a phone, on virtual time: a simulated board, a finger, and lamps as an eye sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.desk.actions import Action
from bridge.desk.desk import Desks
from bridge.desk.model import ButtonSettings, DeskSettings, LampSettings
from bridge.desk.shows import Shows
from bridge.directory.model import Directory
from hardware.simulated import SimulatedBoard
from tests.support.office import office
from tests.support.paper import Bureau, bureau


def button(gpio: int, press: str | None = None, hold: str | None = None) -> ButtonSettings:
    """Return a button's settings from its words."""
    return ButtonSettings(gpio=gpio, press=_action(press), hold=_action(hold))


def lamp(gpio: int, shows: str) -> LampSettings:
    """Return a lamp's settings from its words."""
    return LampSettings(Shows(*shows.split()), gpio=gpio)


def _action(words: str | None) -> Action | None:
    word, _, target = (words or "").partition(" ")
    return Action(word, target) if word else None


class Room:
    """Desks, the bureau behind them, and who sits there."""

    def __init__(self, bureau: Bureau, board: SimulatedBoard, desks: Desks) -> None:
        self.bureau = bureau
        self.board = board
        self.desks = desks

    async def press(self, pin: int, seconds: float = 0.1) -> None:
        """Press a button for so long, then let go and wait until that counts."""
        self.board.press(pin)
        await asyncio.sleep(seconds)
        self.board.release(pin)
        await asyncio.sleep(0.03)

    async def look(self, pin: int, seconds: float = 4.0) -> str:
        """Watch a lamp every 50 ms; return what was seen as `#` and `.`."""
        seen = ""
        for _ in range(round(seconds / 0.05)):
            seen += "#" if self.board.lit(pin) else "."
            await asyncio.sleep(0.05)
        return seen


@asynccontextmanager
async def room(*settings: DeskSettings, directory: Directory | None = None) -> AsyncIterator[Room]:
    """Open desks on a simulated board, and close them."""
    async with bureau(directory or office()) as behind:
        board = SimulatedBoard()
        desks = Desks(settings, behind.port, behind.telephony, board)
        desks.start()
        try:
            yield Room(behind, board, desks)
        finally:
            desks.close()
