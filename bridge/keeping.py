"""Writing what a restart takes up again: soon after a change, never more than a few times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bridge.events import Notice
from bridge.store.errors import StoreError
from bridge.store.kept import KeptStore

KINDS = ("bindings", "talks", "lamps", "orders", "outside", "trunks", "legs")
SOON = 0.25  # seconds: many changes are one write
WAITS = {"legs": 1.0}  # seconds that a change waits at least: most calls have gone on to something else by then

Dump = Callable[[str], list[dict[str, Any]]]


class Keeping:
    """Ties the values to their file. `dump` gives all of a kind; `failed` is told why they are not kept."""

    def __init__(self, store: KeptStore, dump: Dump, failed: Callable[[str], None]) -> None:
        self._store = store
        self._dump = dump
        self._failed = failed
        self._due: dict[str, float] = {}  # when each kind that was touched is to be written, monotonic
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
        fresh = [kind for kind in kinds if kind not in self._due]
        if not fresh and (self._timer is not None or not self._due):
            return  # as after most steps of calls
        loop = asyncio.get_running_loop()
        for kind in fresh:
            self._due[kind] = loop.time() + WAITS.get(kind, 0.0)
        if self._writing is not None:
            return
        at = max(loop.time(), self._last + SOON, min(self._due.values()))
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._begin)

    async def close(self) -> None:
        """Write what is still to be written, and close the file."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        await self._write(list(self._due))
        await self._store.close()

    def _begin(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        self._last = max(loop.time(), min(self._due.values()))
        due = [kind for kind, at in self._due.items() if at <= self._last]
        self._writing = loop.create_task(self._write(due))
        self._writing.add_done_callback(self._written)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        task.result()
        self.soon(())

    async def _write(self, kinds: Iterable[str]) -> None:
        for kind in sorted(kinds):
            del self._due[kind]
            try:
                await self._store.replace(kind, self._dump(kind))
            except StoreError as error:
                if not self._failing:  # said once, until it works again
                    self._failing = True
                    self._failed(f"{kind} would not survive a restart: {error}")
            else:
                self._failing = False
