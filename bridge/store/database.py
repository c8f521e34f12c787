"""An SQLite file: opened, brought to the newest schema, put aside when it is broken.

`synchronous` is FULL where a commit has to survive a power cut (logins), NORMAL where the last moments may be lost
(a journal, in a file of its own). The file is locked for as long as it is open: two agents on one file would each
believe in their own truth.

Everything here waits for the disk and belongs on a store thread.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from bridge.store.errors import BrokenFile, StoreError, told, unreadable_is_broken

CACHE = 512  # KiB of memory for a file, a quarter of what SQLite takes; the kernel keeps its pages too
LOCK_WAIT = 1.0  # seconds; an agent that is just ending gets this long to let go

Migration = Sequence[str]  # the statements that lead from one schema version to the next


class Database:
    """One file and the connection to it. `wall` gives UTC seconds, for the name of a broken file.

    `reads`: what will be asked of it; a file for which one of these makes no sense is broken.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration],
        synchronous: Literal["FULL", "NORMAL"],
        wall: Callable[[], float],
        reads: Sequence[str] = (),
    ) -> None:
        self.path = path
        self._reads = reads
        self._migrations = migrations
        self._synchronous = synchronous
        self._wall = wall
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Path | None:
        """Open the file, making or migrating it; return where a broken one was put aside, or None.

        Raises StoreError.
        """
        try:
            self._connection = self._opened()
        except BrokenFile:
            aside = self._put_aside()
            self._connection = self._opened()
            return aside
        return None

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def copy(self, target: Path) -> None:
        """Write all of it into a new file, as it is at this moment. Raises StoreError."""
        if self._connection is None:
            raise StoreError(f"{self.path} is not open")
        with told(target):
            self._connection.execute("VACUUM INTO ?", (str(target),))
            target.chmod(0o600)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one transaction: after it all is on the disk.

        Raises StoreError, and then none of it is.
        """
        if self._connection is None:
            raise StoreError(f"{self.path} is not open")
        with told(self.path), _transaction(self._connection):
            yield self._connection

    def _opened(self) -> sqlite3.Connection:
        with told(self.path):
            _make_private(self.path)
            with ExitStack() as undo:
                connection = sqlite3.connect(self.path, timeout=LOCK_WAIT, isolation_level=None)
                undo.callback(connection.close)
                connection.text_factory = text_of
                with unreadable_is_broken():
                    self._prepare(connection)
                undo.pop_all()
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute(f"PRAGMA cache_size=-{CACHE}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise BrokenFile(f"{self.path}: {found}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(self._migrations):
            raise StoreError(
                f"{self.path} was written by a newer cti-bridge (schema {version}, this one knows "
                f"{len(self._migrations)}); install that version again, or give this one its own --state"
            )
        for number in range(version, len(self._migrations)):
            with _transaction(connection):
                for statement in self._migrations[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number + 1}")
        for query in self._reads:
            connection.execute(f"{query} LIMIT 0")

    def _put_aside(self) -> Path:
        stamp = datetime.datetime.fromtimestamp(self._wall(), datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.name}.broken-{stamp}")
        with told(self.path):
            os.replace(self.path, aside)
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
        return aside


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the first error is the one to tell
                connection.execute("ROLLBACK")
        raise


def text_of(data: bytes) -> str:
    """Return text as it was written, and of damaged text what is left of it."""
    return data.decode("utf-8", "replace")


def _make_private(path: Path) -> None:
    """Make the file and its directory if they are missing; let nobody but their owner read the file.

    A file that exists is not opened for it: closing it would end the locks that this process has on it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) != 0o600:
            path.chmod(0o600)
