"""The journal's file behind a thread of its own: nothing that carries calls ever waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from bridge.journal.model import Entry
from bridge.store import journalfile
from bridge.store.database import Database, text_of
from bridge.store.errors import DAMAGED, BrokenFile, StoreError, told
from bridge.store.thread import StoreThread

FILE = "journal.db"
T = TypeVar("T")
Read = Callable[[sqlite3.Connection], T]


class JournalStore:
    """The file. Every method may raise StoreError. `wall` gives UTC seconds."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self.path = path
        self._database = Database(path, journalfile.MIGRATIONS, "NORMAL", wall, journalfile.READS)
        self._thread = StoreThread("store-journal")
        self.put_aside: list[Path] = []  # broken files, still to be told of

    async def open(self) -> None:
        """Open the file."""
        await self._thread.do(self._open)

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write entries in one transaction."""
        await self._thread.do(partial(self._write, entries))

    async def read(self, look: Read[T]) -> T:
        """Return what `look` finds, on the thread."""
        return await self._thread.do(partial(self._read, look))

    async def forget(self, before: float) -> None:
        """Forget what is older, in pieces."""
        while await self._thread.do(partial(self._read, lambda connection: journalfile.forget(connection, before))):
            pass

    async def copy(self, target: Path) -> None:
        """Write a copy of the file as it is now."""
        await self._thread.do(partial(self._database.copy, target))

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._thread.close(self._database.close)

    def _open(self) -> None:
        aside = self._database.open()
        if aside is not None:
            self.put_aside.append(aside)

    def _write(self, entries: Sequence[Entry]) -> None:
        try:
            self._write_once(entries)
        except BrokenFile:
            self._open_again()
            self._write_once(entries)

    def _write_once(self, entries: Sequence[Entry]) -> None:
        with self._database.transaction() as connection:
            journalfile.write(connection, entries)

    def _read(self, look: Read[T]) -> T:
        try:
            with self._database.transaction() as connection:
                return look(connection)
        except BrokenFile:
            self._open_again()
            raise
        except DAMAGED as error:
            raise StoreError(f"{self.path}: an entry in it is damaged ({error!r})") from error

    def _open_again(self) -> None:
        """Let the file be checked, and put aside where it is broken."""
        self._database.close()
        self._open()


@contextmanager
def opened_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a connection that only reads, for a command while no agent runs. Raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path} does not exist: no agent has kept a journal there; --state DIR names another place")
    with told(path):
        connection = _connected(path)
        connection.text_factory = text_of
        try:
            yield connection
        except DAMAGED as error:
            raise StoreError(f"{path}: an entry in it is damaged ({error!r})") from error
        finally:
            connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    """Connect; where the directory may not be written, as the file alone is, if nothing stands beside it."""
    for extra in ("", "&immutable=1"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{extra}", uri=True, timeout=1.0)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            connection.close()
            wal = path.with_name(f"{path.name}-wal")
            may_be_read_alone = isinstance(error, sqlite3.OperationalError) and not extra
            if not may_be_read_alone or (wal.exists() and wal.stat().st_size):
                raise
        else:
            return connection
    raise AssertionError("one of both has returned or raised")
