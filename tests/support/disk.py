"""A store of logins whose disk a test can hold up and let fail; and a port on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.commands.views import Info
from bridge.directory.confirmed import Change
from bridge.directory.model import Directory
from bridge.port.local import LocalPort
from bridge.port.model import Listener
from bridge.store.errors import StoreError
from bridge.store.logins import LoginStore
from tests.support.office import NOW, ToldTelephony, office


class Disk(LoginStore):
    """The real store; `free` holds commits up while it is cleared, `broken` lets them fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, lambda: NOW)
        self.free = asyncio.Event()
        self.free.set()
        self.busy = asyncio.Event()  # set once a commit waits
        self.broken = False
        self.commits: list[tuple[Change, ...]] = []

    async def commit(self, changes: Sequence[Change], dropped: Sequence[tuple[str, str]] = ()) -> None:
        """Commit when the disk is free."""
        self.busy.set()
        await self.free.wait()
        if self.broken:
            raise StoreError("the disk is full")
        await super().commit(changes, dropped)
        self.commits.append(tuple(changes))


@asynccontextmanager
async def serving(
    disk: Disk, directory: Directory | None = None, listener: Listener | None = None
) -> AsyncIterator[LocalPort]:
    """Start a port on the disk, followed from the beginning by `listener`, and let it run; end it in order."""
    port = LocalPort(
        directory=directory or office(),
        store=disk,
        wall=lambda: NOW,
        monotonic=time.monotonic,
        info=lambda: Info("0", "test", NOW),
        telephony=ToldTelephony(),
    )
    if listener is not None:
        port.follow(listener)
    await port.start()
    running = asyncio.create_task(port.run())
    try:
        yield port
    finally:
        port.close()
        try:
            await running
        finally:
            await disk.close()
