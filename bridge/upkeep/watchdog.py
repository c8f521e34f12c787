"""Feeds systemd's watchdog, only while the loop, the store and the SIP socket are alive.

The loop is alive when this runs at all. The store is when its thread does a job in time, from which a stuck SD card
keeps it. A UDP socket is when a packet of ours to it is read. Else nothing is fed, why is said once, and systemd
starts the agent anew; talks with direct media go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Alive = Callable[[], Awaitable[object]]
"""Returns once a part is known to be alive."""


class Watchdog:
    """Looks after parts by name, `every` so many seconds. `tell` takes a sentence about what is dead."""

    def __init__(
        self, parts: Mapping[str, Alive], feed: Callable[[], None], tell: Callable[[str], None], every: float | None
    ) -> None:
        self._parts = parts
        self._feed = feed
        self._tell = tell
        self._every = every
        self._said = False

    async def run(self) -> None:
        """Feed for ever; do nothing where no watchdog waits for it."""
        while self._every is not None:
            dead = await self.dead(self._every)
            if dead:
                self._say(dead)
            else:
                self._said = False
                self._feed()
            await asyncio.sleep(self._every)

    async def dead(self, seconds: float) -> list[str]:
        """Return the parts that did not answer in time, or failed."""
        answers = await asyncio.gather(*(self._answers(alive, seconds) for alive in self._parts.values()))
        return [name for name, answered in zip(self._parts, answers, strict=True) if not answered]

    @staticmethod
    async def _answers(alive: Alive, seconds: float) -> bool:
        try:
            await asyncio.wait_for(alive(), seconds)
        except (TimeoutError, OSError, RuntimeError):
            return False
        return True

    def _say(self, dead: list[str]) -> None:
        if not self._said:
            self._said = True
            self._tell(f"the watchdog is not fed: {' and '.join(dead)} did not answer; systemd will start it anew")
