"""Keeping the journal: entries are gathered from the events and written together, a few seconds later.

An SD card wears by every write, and no caller waits for any: a disk that is slow, full or broken is an event, and the
entries wait in memory until it takes them, the oldest giving way where there are too many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bridge.events import CallOver, Event, Notice
from bridge.journal.model import Change, Entry, Filter, Kind, Past, change_of
from bridge.store import journalfile
from bridge.store.errors import StoreError
from bridge.store.journal import JournalStore
from bridge.store.journalfile import Connection

GATHER = 5.0  # seconds from an entry to its being written
AT_ONCE = 200  # entries that are written sooner: each keeps 2 KiB of memory
MOST = 20_000  # entries that wait in memory while the disk takes none
TRY_AGAIN = 30.0  # seconds
DAY = 86_400.0
PAST_DAYS = 7.0  # how far back what is recalled at the start reaches: missed calls, today's counts
_PAST_CALLS = 10_000

T = TypeVar("T")


class Journaling:
    """Follows the port's events, on the running loop between `start` and `close`.

    `days`: how long entries are kept. `opened` is told what there was. `tell` publishes an event.
    """

    def __init__(
        self,
        store: JournalStore,
        *,
        wall: Callable[[], float],
        synchronised: Callable[[], bool],
        days: Callable[[], float],
        opened: Callable[[Past], Iterable[Change]],
        tell: Callable[[Event], None],
    ) -> None:
        self._store = store
        self._wall = wall
        self._synchronised = synchronised
        self._days = days
        self._opened = opened
        self._tell = tell
        self._pending: list[Entry] = []
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None
        self._working: asyncio.Task[None] | None = None
        self._disk = asyncio.Lock()
        self._start: Change | None = None
        self._is_open = False
        self._failing = False
        self._forgot_at: float | None = None  # monotonic
        self._closed = False

    def start(self) -> None:
        """Open the file, while the agent goes on starting."""
        self._start = Change(self._wall(), Kind.STARTED, what="the bridge was started")
        self._add(self._start)
        self._work()

    def __call__(self, event: Event) -> None:
        """Take an event, which may be none of the journal's."""
        entry = event if isinstance(event, CallOver) else change_of(event)
        if entry is not None:
            self._add(entry)

    @property
    def busy(self) -> bool:
        """Whether something is on its way to the disk."""
        return self._working is not None

    async def read(self, look: Callable[[Connection], T]) -> T:
        """Return what `look` finds, all entries so far being written. Raises StoreError."""
        async with self._disk:
            try:
                await self._write()
            except StoreError:
                if not self._is_open:
                    raise
        try:
            return await self._store.read(look)
        finally:
            self._say_aside()

    async def copy(self, target: Path) -> None:
        """Write a copy of the file, with all entries so far in it. Raises StoreError."""
        await self.read(lambda connection: None)
        await self._store.copy(target)

    async def close(self) -> None:
        """Write what is still to be written, and close the file."""
        self._add(Change(self._wall(), Kind.ENDED, what="the bridge ended"))
        self._closed = True
        self._stop_timer()
        if self._working is not None:
            await asyncio.wait([self._working])
        await self._settle()
        await self._store.close()

    # -- gathering ------------------------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> None:
        self._pending.append(entry)
        if len(self._pending) > MOST:
            self._lost += 1
            del self._pending[0]
        if self._failing or self._working is not None or self._closed:
            return
        if len(self._pending) >= AT_ONCE:
            self._work()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER, self._work)

    def _work(self) -> None:
        """Do on the disk what is to be done; one after the other."""
        self._stop_timer()
        if self._working is None and not self._closed:
            self._working = asyncio.get_running_loop().create_task(self._settle())
            self._working.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working = None
        if task.cancelled():
            return
        task.result()
        if self._pending and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(TRY_AGAIN if self._failing else GATHER, self._work)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the disk -------------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Open the file if need be, write, forget what is old; say what cannot be done."""
        try:
            async with self._disk:
                await self._write()
                await self._forget()
        except StoreError as error:
            if not self._failing:  # said once, until it works again
                self._failing = True
                self._say(f"the journal cannot be written: {error}; calls go on, and entries wait in memory")
        else:
            if self._failing:
                self._failing = False
                self._say("the journal is written again")
            self._say_what_is_lost()

    async def _write(self) -> None:
        if not self._is_open:
            await self._open()
        batch, lost = tuple(self._pending), self._lost
        if batch:
            await self._store.write(batch)
            self._say_aside()
            gave_way = self._lost - lost  # meanwhile, and so are gone already
            del self._pending[: max(0, len(batch) - gave_way)]

    async def _open(self) -> None:
        await self._store.open()
        self._say_aside()
        now = self._wall()
        self._is_open = True
        past = await self._store.read(lambda connection: _past(connection, now))
        # What holds since the start stands there, however late the disk has let us read what was before.
        recalled = [
            change if self._start is None else replace(change, wall=self._start.wall) for change in self._opened(past)
        ]
        place = int(self._start is not None and self._start in self._pending[:1])
        self._pending[place:place] = recalled

    async def _forget(self) -> None:
        """Once a day forget what is older than it is kept; by a clock that is right."""
        now = asyncio.get_running_loop().time()
        if self._synchronised() and (self._forgot_at is None or now - self._forgot_at >= DAY):
            await self._store.forget(self._wall() - self._days() * DAY)
            self._forgot_at = now

    def _say_aside(self) -> None:
        while self._store.put_aside:
            aside = self._store.put_aside.pop()
            text = f"{self._store.path} was damaged; it is kept as {aside.name}, and the journal begins anew"
            self._tell(Notice(self._wall(), "store_broken", text))

    def _say_what_is_lost(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, 0
            self._say(f"{lost} entries of the journal are lost: they were too many to wait for the disk")

    def _say(self, text: str) -> None:
        self._tell(Notice(self._wall(), "store", text))


def _past(connection: Connection, now: float) -> Past:
    since = now - PAST_DAYS * DAY
    calls = journalfile.calls(connection, Filter(since=since, last=_PAST_CALLS))
    return Past(calls, journalfile.latest(connection, float("inf")))
