"""A desk beside a phone, on virtual time: a simulated board, a finger, and lamps as an eye sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bridge.desk.actions import Action
from bridge.desk.desk import Desks
from bridge.desk.model import ButtonSettings, DeskSettings, LampSettings
from bridge.desk.shows import Shows
from bridge.directory.model import Directory
from hardware.model import LampWiring
from hardware.simulated import SimulatedBoard
from hardware.simulated_panel import SimulatedPanel
from tests.support.office import NOW, office
from tests.support.paper import Bureau, bureau


def button(
    gpio: int | None, press: str | None = None, hold: str | None = None, key: int | None = None
) -> ButtonSettings:
    """Return a button's settings from its words."""
    return ButtonSettings(gpio=gpio, key=key, press=_action(press), hold=_action(hold))


def lamp(gpio: int | tuple[int, ...] | None, shows: str, lamp: int | None = None) -> LampSettings:
    """Return a lamp's settings from its words."""
    pins = (gpio,) if isinstance(gpio, int) else gpio
    return LampSettings(Shows(*shows.split()), gpio=LampWiring(pins) if pins else None, lamp=lamp)


def _action(words: str | None) -> Action | None:
    word, _, target = (words or "").partition(" ")
    return Action(word, target) if word else None


class Room:
    """Desks, the bureau behind them, and who sits there."""

    def __init__(self, bureau: Bureau, board: SimulatedBoard, desks: Desks, panels: dict[str, SimulatedPanel]) -> None:
        self.bureau = bureau
        self.board = board
        self.desks = desks
        self.panels = panels

    async def press(self, pin: int, seconds: float = 0.1) -> None:
        """Press a button for so long, then let go and wait until that counts."""
        self.board.press(pin)
        await asyncio.sleep(seconds)
        self.board.release(pin)
        await asyncio.sleep(0.03)

    async def look(self, pin: int, seconds: float = 4.0) -> str:
        """Watch a lamp every 50 ms; return what was seen as `#` and `.`."""
        return await self.watch(lambda: self.board.lit(pin), seconds)

    async def watch(self, lit: Callable[[], bool], seconds: float = 4.0) -> str:
        """Watch something that is lit every 50 ms."""
        seen = ""
        for _ in range(round(seconds / 0.05)):
            seen += "#" if lit() else "."
            await asyncio.sleep(0.05)
        return seen


@asynccontextmanager
async def room(*settings: DeskSettings, directory: Directory | None = None) -> AsyncIterator[Room]:
    """Open desks on a simulated board, and close them."""
    async with bureau(directory or office()) as behind:
        board = SimulatedBoard()
        panels: dict[str, SimulatedPanel] = {}
        desks = desks_at(settings, behind, board, panels)
        desks.start()
        try:
            yield Room(behind, board, desks, panels)
        finally:
            desks.close()


def desks_at(
    settings: Sequence[DeskSettings], behind: Bureau, board: SimulatedBoard, panels: dict[str, SimulatedPanel]
) -> Desks:
    """Return desks that are not started, their panels simulated with eight keys and lamps each."""

    def panel(desk: DeskSettings) -> SimulatedPanel:
        numbers = dict.fromkeys(range(1, 9), "")
        return panels.setdefault(desk.name, board.panel(numbers, numbers))

    return Desks(settings, behind.port, behind.telephony, board, panel, behind.port.publish, lambda: NOW)
