"""Opening the desks with their board, which an agent has only where they are configured.

What they need is imported here and not before, so that an agent without them does not pay for them.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from bridge.calls.status import Telephony
from bridge.commands.views import Link
from bridge.desk.desk import Desks
from bridge.desk.errors import DeskError
from bridge.desk.model import DeskSettings
from bridge.desk.opening import cautions
from bridge.desk.panel import GONE
from bridge.log import NOTICE, Log
from bridge.port.local import LocalPort
from hardware.model import Board
from hardware.panel import Panel

if TYPE_CHECKING:
    from bridge.port.remote import RemotePort
    from hardware.simulated import SimulatedBoard
    from hardware.terminal import Terminal

    OwnPort = LocalPort | RemotePort


class OpenDesks:
    """Desks that are open, or none yet: `configure` opens and closes them, `close` ends them.

    `board`: one that is driven by program. Else the header of a Pi, opened with the first pin, or a simulated one, tied
    to the terminal where there is one; simulated desks have simulated panels.
    """

    def __init__(self, simulated: bool, port: OwnPort, telephony: Telephony, board: Board | None, log: Log) -> None:
        self._simulated = _in_memory() if simulated and board is None else None
        self._board: Board | None = board or self._simulated
        self._log = log
        self._terminal: Terminal | None = None
        self._configured: tuple[DeskSettings, ...] = ()
        self.desks = Desks((), port, telephony, self._board, self._panel, port.publish, time.time)
        self.desks.start()

    @property
    def links(self) -> tuple[Link, ...]:
        """The panels, as connections of the agent."""
        panels = self.desks.panels.items()
        return tuple(Link(f"panel of desk {n}", p.state, p.since, p.reason, p.state != GONE) for n, p in panels)

    def configure(self, configured: tuple[DeskSettings, ...]) -> list[str]:
        """Go by a configuration; return every part that cannot be opened, as `key.path: why`."""
        if configured != self._configured:
            for caution in cautions(configured):
                self._log.write(NOTICE, caution)
        self._configured = configured
        if self._board is None and any(map(_has_pins, configured)):
            self._board = _real()
        return self.desks.configure(configured, self._board)

    def show(self) -> None:
        """Draw simulated desks in the terminal, where there is one."""
        if self._simulated is None or self._terminal is not None:
            return
        from hardware.terminal import Terminal

        self._terminal = Terminal(self._simulated, sys.stdin, sys.stdout)
        if self._terminal.open():
            self._log.stream = self._terminal.above(self._log.stream)

    def close(self) -> None:
        """Darken the lamps, free the pins, and give the terminal back."""
        self.desks.close()
        if self._terminal is not None:
            self._terminal.close()

    def _panel(self, desk: DeskSettings) -> Panel:
        if self._simulated is None:
            return _serial(desk)
        keys = {button.key: f"{desk.name}: {button}" for button in desk.buttons if button.key is not None}
        lamps = {lamp.lamp: f"{desk.name}: {lamp.shows}" for lamp in desk.lamps if lamp.lamp is not None}
        return self._simulated.panel(keys, lamps)


def open_desks(
    configured: tuple[DeskSettings, ...],
    simulated: bool,
    port: OwnPort,
    telephony: Telephony,
    board: Board | None,
    log: Log,
) -> OpenDesks:
    """Open every desk's buttons and lamps. Raises DeskError with every part that cannot be."""
    desks = OpenDesks(simulated, port, telephony, board, log)
    problems = desks.configure(configured)
    if problems:
        desks.close()
        raise DeskError(problems)
    return desks


def _in_memory() -> SimulatedBoard:
    from hardware.simulated import SimulatedBoard

    return SimulatedBoard()


def _has_pins(desk: DeskSettings) -> bool:
    return any(b.gpio is not None for b in desk.buttons) or any(lamp.gpio is not None for lamp in desk.lamps)


def _real() -> Board:
    from hardware.gpio import GpioBoard

    return GpioBoard()


def _serial(desk: DeskSettings) -> Panel:
    from hardware.serial_panel import SerialPanel

    assert desk.panel is not None
    return SerialPanel(desk.panel)
