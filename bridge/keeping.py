"""Writing what a restart takes up again: soon after a change, never more than a few times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bridge.events import Notice
from bridge.store.errors import StoreError
from bridge.store.kept import KeptStore

KINDS = ("bindings", "talks", "lamps", "orders", "outside")
SOON = 0.25  # seconds: many changes are one write

Dump = Callable[[str], list[dict[str, Any]]]


class Keeping:
    """Ties the values to their file. `dump` gives all of a kind; `failed` is told why they are not kept."""

    def __init__(self, store: KeptStore, dump: Dump, failed: Callable[[str], None]) -> None:
        self._store = store
        self._dump = dump
        self._failed = failed
        self._touched: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._failing = False
        self._last = float("-inf")  # when the last write began, monotonic

    async def open(self) -> tuple[Notice, ...]:
        """Open the file."""
        return await self._store.open()

    async def load(self, kind: str) -> list[dict[str, Any]]:
        """Return what was kept of a kind."""
        return await self._store.load(kind)

    def soon(self, kinds: Iterable[str]) -> None:
        """Write these kinds: at once, or a moment after the last write."""
        self._touched.update(kinds)
        if self._timer is None and self._writing is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._last + SOON), self._begin)

    async def close(self) -> None:
        """Write what is still to be written, and close the file."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        await self._write()
        await self._store.close()

    def _begin(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        self._writing = asyncio.get_running_loop().create_task(self._write())
        self._writing.add_done_callback(self._written)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        task.result()
        if self._touched:
            self.soon(())

    async def _write(self) -> None:
        touched, self._touched = self._touched, set()
        for kind in sorted(touched):
            try:
                await self._store.replace(kind, self._dump(kind))
            except StoreError as error:
                if not self._failing:  # said once, until it works again
                    self._failing = True
                    self._failed(f"{kind} would not survive a restart: {error}")
            else:
                self._failing = False
