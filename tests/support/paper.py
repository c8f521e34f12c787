"""A port whose store is a sheet of paper: nothing but memory, and a test may hold the pen or break it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bridge.commands.views import Info
from bridge.directory.confirmed import Change, Confirmed
from bridge.directory.handling import Handling
from bridge.directory.logins import Login
from bridge.directory.model import Directory
from bridge.directory.nights import NightState
from bridge.events import Event, Notice
from bridge.port.local import LocalPort
from bridge.store.errors import StoreError
from tests.support.office import NOW, ToldTelephony, office


class Paper:
    """Keeps logins in memory; commits wait while `free` is cleared and fail while it is `broken`."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self.broken = False
        self.commits = 0
        self.written = Confirmed()

    async def open(self) -> Sequence[Notice]:
        """Say nothing."""
        return ()

    async def load(self) -> Sequence[tuple[tuple[str, str], Login]]:
        """Return the logins that were written."""
        return list(self.written.logins)

    async def nights(self) -> Sequence[tuple[str, NightState]]:
        """Return the switches that were written."""
        return list(self.written.nights)

    async def handlings(self) -> Sequence[tuple[str, Handling]]:
        """Return what is written."""
        return list(self.written.handlings)

    async def commit(self, changes: Sequence[Change], dropped: Sequence[tuple[str, str]] = ()) -> None:
        """Write when the pen is free."""
        await self.free.wait()
        if self.broken:
            raise StoreError("the disk is full")
        self.commits += 1
        self.written.apply(changes)
        for place in dropped:
            self.written.logins.drop(*place)


class Bureau:
    """A port, its store, its telephony, and everything that it has told. `moving`: the wall's clock goes."""

    def __init__(self, directory: Directory, *, moving: bool = False, paper: Paper | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._moving = moving
        self._began = loop.time()
        self.ahead = 0.0  # seconds by which the wall's clock was set
        self.synchronised = True
        self.paper = paper or Paper()
        self.telephony = ToldTelephony()
        self.events: list[Event] = []
        self.port = LocalPort(
            directory=directory,
            store=self.paper,
            wall=self.wall,
            monotonic=loop.time,
            info=lambda: Info("0.1.0", "test", NOW),
            telephony=self.telephony,
            synchronised=lambda: self.synchronised,
        )
        self.port.follow(self.events.append)

    def wall(self) -> float:
        """Return UTC seconds: always NOW, or NOW and what has passed since."""
        passed = asyncio.get_running_loop().time() - self._began if self._moving else 0.0
        return NOW + self.ahead + passed


@asynccontextmanager
async def bureau(
    directory: Directory | None = None, *, moving: bool = False, paper: Paper | None = None
) -> AsyncIterator[Bureau]:
    """Open a bureau, and close it in order; `paper`: what an earlier one has written."""
    office_bureau = Bureau(directory or office(), moving=moving, paper=paper)
    await office_bureau.port.start()
    running = asyncio.create_task(office_bureau.port.run())
    try:
        yield office_bureau
    finally:
        office_bureau.port.close()
        await running
