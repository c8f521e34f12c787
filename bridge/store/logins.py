"""The logins in SQLite: loaded once, then written change by change before anybody is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, fields
from functools import partial
from pathlib import Path

from bridge.directory.logins import Login, LoginChange, Origin
from bridge.events import Notice
from bridge.store.database import Database, Migration
from bridge.store.thread import StoreThread

Place = tuple[str, str]  # group, member

MIGRATIONS: tuple[Migration, ...] = (
    (
        """
        CREATE TABLE login (
            in_group TEXT NOT NULL,
            member TEXT NOT NULL,
            logged_in INTEGER NOT NULL,
            since REAL NOT NULL,
            by TEXT,
            origin TEXT,
            reason TEXT,
            until REAL,
            paused INTEGER NOT NULL,
            pause_reason TEXT,
            pause_until REAL,
            permanent INTEGER NOT NULL,
            PRIMARY KEY (in_group, member)
        ) STRICT, WITHOUT ROWID
        """,
    ),
)

_COLUMNS = ", ".join(f.name for f in fields(Login))
_SELECT = f"SELECT in_group, member, {_COLUMNS} FROM login"
_MARKS = ", ".join("?" * (2 + len(fields(Login))))
_REPLACE = f"INSERT OR REPLACE INTO login (in_group, member, {_COLUMNS}) VALUES ({_MARKS})"
_DELETE = "DELETE FROM login WHERE in_group = ? AND member = ?"


class LoginStore:
    """The file of logins, behind a thread of its own. Every method may raise StoreError."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._database = Database(path, MIGRATIONS, "FULL", wall)
        self._thread = StoreThread("store-logins")

    async def open(self) -> tuple[Notice, ...]:
        """Open the file; return what a person should know about that."""
        aside = await self._thread.do(self._database.open)
        if aside is None:
            return ()
        text = f"{self._database.path} was damaged; it is kept as {aside.name}, and nobody is logged in"
        return (Notice(self._wall(), "store_broken", text),)

    async def load(self) -> list[tuple[Place, Login]]:
        """Return every login that was ever committed and not dropped."""
        return await self._thread.do(self._load)

    async def commit(self, changes: Sequence[LoginChange], dropped: Sequence[Place] = ()) -> None:
        """Write changes and forget places in one transaction; when this returns, a power cut cannot undo it."""
        await self._thread.do(partial(self._commit, tuple(changes), tuple(dropped)))

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._thread.close(self._database.close)

    def _load(self) -> list[tuple[Place, Login]]:
        with self._database.transaction() as connection:
            return [((row[0], row[1]), _login(row[2:])) for row in connection.execute(_SELECT)]

    def _commit(self, changes: tuple[LoginChange, ...], dropped: tuple[Place, ...]) -> None:
        with self._database.transaction() as connection:
            _write(connection, changes)
            connection.executemany(_DELETE, dropped)


def _write(connection: sqlite3.Connection, changes: tuple[LoginChange, ...]) -> None:
    connection.executemany(_REPLACE, ((c.group, c.member, *astuple(c.after)) for c in changes))


def _login(row: tuple[object, ...]) -> Login:
    """Return the login that a row says; an origin that this version does not know is left out."""
    values = dict(zip((f.name for f in fields(Login)), row, strict=True))
    for flag in ("logged_in", "paused", "permanent"):
        values[flag] = bool(values[flag])
    origin = None
    with suppress(ValueError):
        origin = Origin(str(values["origin"]))
    return Login(**{**values, "origin": origin})  # type: ignore[arg-type]
