"""What somebody has seen happen, each with its time, and waiting for what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Entry(NamedTuple, Generic[T]):
    """Something that happened; `at` is seconds, monotonic, the same clock in all processes of the machine."""

    at: float
    what: T


class Diary(Generic[T]):
    """Entries in the order in which they came, on one loop."""

    def __init__(self) -> None:
        self.entries: list[Entry[T]] = []
        self._waiting: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self.entries)

    def note(self, what: T, at: float) -> None:
        """Write down what has happened."""
        self.entries.append(Entry(at, what))
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def find(self, wanted: Callable[[T], bool], since: int = 0) -> Entry[T] | None:
        """Return the first entry from number `since` on that is wanted, if there is one."""
        return next((entry for entry in self.entries[since:] if wanted(entry.what)), None)

    async def until(self, wanted: Callable[[T], bool], seconds: float, since: int = 0) -> Entry[T] | None:
        """Return the first entry from number `since` on that is wanted, there or to come; None after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while (found := self.find(wanted, since)) is None:
                    news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.append(news)
                    await news
                return found
        except TimeoutError:
            return None
