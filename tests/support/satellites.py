"""A satellite on a loop in a thread of its own, with a simulated board: a test presses and looks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bridge.config.load import parse
from bridge.events import Event
from bridge.making import values_of
from bridge.options import Options
from bridge.satellite import Satellite
from hardware.simulated import SimulatedBoard
from tests.support.process import PATIENCE, wait_until

CONFIG = """\
[mqtt]
broker = "{broker}"
[desks.workshop]
member = "{member}"
buttons = [{{ gpio = 17, press = "toggle {group}", hold = "pause {group}" }}]
lamps = [
  {{ gpio = 27, shows = "login {group}" }}, {{ gpio = 22, shows = "line anna" }},
  {{ gpio = 25, shows = "missed {group}" }},
]
"""
BUTTON, LAMP, LINE, MISSED = 17, 27, 22, 25


class Outpost:
    """A running satellite. Use as a context manager."""

    def __init__(self, directory: Path, broker: str, *, group: str = "support", member: str = "anna") -> None:
        text = CONFIG.format(broker=broker, group=group, member=member)
        self.board = SimulatedBoard()
        self.events: list[Event] = []
        options = Options(directory, directory / "control.sock", simulate_hardware=False, ready=lambda _: None)
        self.satellite = Satellite(values_of(parse(text, directory, {})), options, self.board)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Outpost:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @property
    def is_there(self) -> bool:
        """Whether it sees the bridge."""
        return self.satellite.port.mirror.here

    def wait_there(self, there: bool = True) -> None:
        """Wait until it sees the bridge, or sees it no more."""
        wait_until(lambda: self.is_there is there, f"the bridge is {'there' if there else 'gone'}")

    def press(self, seconds: float = 0.1) -> None:
        """Press the button for so long, and return when that has had its effect."""

        async def pressing() -> None:
            self.board.press(BUTTON)
            await asyncio.sleep(seconds)
            self.board.release(BUTTON)
            await asyncio.sleep(0.1)  # the filter takes 25 ms

        asyncio.run_coroutine_threadsafe(pressing(), self._loop).result(PATIENCE)

    def wait_lamp(self, lit: bool, pin: int = LAMP) -> None:
        """Wait until a lamp is lit, or dark, for half a second on end."""
        seen: list[bool] = []

        def steady() -> bool:
            seen.append(self.board.lit(pin) is lit)
            return len(seen) > 100 and all(seen[-100:])  # wait_until looks every 5 ms

        wait_until(steady, f"lamp {pin} is {'lit' if lit else 'dark'}")

    def wait_blinking_twice(self, *pins: int) -> None:
        """Wait until lamps show that the bridge cannot be reached: two short flashes in 2 s."""
        seen: list[tuple[bool, ...]] = []

        def twice() -> bool:
            seen.append(tuple(self.board.lit(pin) for pin in pins))
            last = seen[-400:]  # wait_until looks every 5 ms
            return len(last) == 400 and all(_is_double_blink(lamp) for lamp in zip(*last, strict=True))

        wait_until(twice, f"lamps {pins} blink twice")

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with AsyncExitStack() as parts:
            self.satellite.port.follow(self.events.append)
            await self.satellite.open(parts)
            self._ready.set()
            await self._end.wait()


def _is_double_blink(lit: Sequence[bool]) -> bool:
    flashes = sum(now and not before for before, now in zip(lit, lit[1:], strict=False))
    return 2 <= flashes <= 3 and sum(lit) < 0.3 * len(lit)
