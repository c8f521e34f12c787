"""An event loop on virtual time: whoever waits for a timer gets it at once, and the clock is then where it says."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time moves only when there is nothing left to do but to wait; then it jumps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.jumps = 0  # how often it was woken by a timer
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Return virtual seconds."""
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        assert timeout is not None, "nothing can ever happen any more"
        self._loop.now += timeout
        self._loop.jumps += 1
        return []


def run_virtual(scene: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scene)
