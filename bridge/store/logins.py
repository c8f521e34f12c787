"""Logins, night switches and lines' handling in SQLite: loaded once, written change by change before they are told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bridge.directory.confirmed import Change
from bridge.directory.handling import Handling, HandlingChange
from bridge.directory.logins import Login, LoginChange, Origin
from bridge.directory.nights import UNTOUCHED, Night, NightState
from bridge.events import Notice
from bridge.store.database import Database, Migration
from bridge.store.errors import DAMAGED
from bridge.store.handling import COLUMNS, COUNT, HANDLING, handling_of, handling_row
from bridge.store.thread import StoreThread

Place = tuple[str, str]  # group, member
T = TypeVar("T")

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
    (
        "ALTER TABLE login ADD COLUMN back TEXT",
        "ALTER TABLE login ADD COLUMN lasts REAL",
        "ALTER TABLE login ADD COLUMN pause_lasts REAL",
        "ALTER TABLE login ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE login ADD COLUMN acted REAL",
        """
        CREATE TABLE night (
            in_group TEXT PRIMARY KEY,
            night TEXT NOT NULL,
            since REAL NOT NULL,
            by TEXT,
            origin TEXT
        ) STRICT, WITHOUT ROWID
        """,
    ),
    HANDLING,
    (
        "ALTER TABLE login ADD COLUMN pause_by TEXT",
        "ALTER TABLE login ADD COLUMN pause_origin TEXT",
    ),
)

_COLUMNS = ", ".join(f.name for f in fields(Login))
_SELECT = f"SELECT in_group, member, {_COLUMNS} FROM login"
_MARKS = ", ".join("?" * (2 + len(fields(Login))))
_REPLACE = f"INSERT OR REPLACE INTO login (in_group, member, {_COLUMNS}) VALUES ({_MARKS})"
_DELETE = "DELETE FROM login WHERE in_group = ? AND member = ?"
_SWITCH = "INSERT OR REPLACE INTO night (in_group, night, since, by, origin) VALUES (?, ?, ?, ?, ?)"

_NIGHTS = "SELECT in_group, night, since, by, origin FROM night"
_HANDLINGS = f"SELECT line, {COLUMNS} FROM handling"
_HANDLE = f"INSERT OR REPLACE INTO handling (line, {COLUMNS}) VALUES (?, {', '.join('?' * COUNT)})"


class LoginStore:
    """The file of all that is confirmed, behind a thread of its own. Every method may raise StoreError."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._database = Database(path, MIGRATIONS, "FULL", wall, (_SELECT, _NIGHTS, _HANDLINGS))
        self._thread = StoreThread("store-logins")

    async def alive(self) -> None:
        """Return once the thread has come to it, whatever the disk has it wait for."""
        await self._thread.do(lambda: None)

    async def open(self) -> tuple[Notice, ...]:
        """Open the file; return what a person should know about that."""
        aside = await self._thread.do(self._database.open)
        path = self._database.path
        if aside is not None:
            text = f"{path} was damaged; it is kept as {aside.name}, and nobody is logged in"
            return (Notice(self._wall(), "store_broken", text),)
        damaged = await self._thread.do(self._damaged)
        if not damaged:
            return ()
        text = f"{path} is damaged: {damaged} entries cannot be read; look who is logged in, and how lines are set"
        return (Notice(self._wall(), "store_broken", text),)

    async def load(self) -> list[tuple[Place, Login]]:
        """Return every login that was ever committed and not dropped."""
        return await self._thread.do(self._load)

    async def nights(self) -> list[tuple[str, NightState]]:
        """Return every night switch that was ever turned."""
        return await self._thread.do(self._nights)

    async def handlings(self) -> list[tuple[str, Handling]]:
        """Return every line's handling of calls that was ever set."""
        return await self._thread.do(self._handlings)

    async def commit(self, changes: Sequence[Change], dropped: Sequence[Place] = ()) -> None:
        """Write changes and forget places in one transaction; when this returns, a power cut cannot undo it."""
        await self._thread.do(partial(self._commit, tuple(changes), tuple(dropped)))

    async def copy(self, target: Path) -> None:
        """Write a copy of the file as it is now."""
        await self._thread.do(partial(self._database.copy, target))

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._thread.close(self._database.close)

    def _load(self) -> list[tuple[Place, Login]]:
        return _readable(self._rows(_SELECT), lambda row: ((row[0], row[1]), _login(row[2:])))[0]

    def _nights(self) -> list[tuple[str, NightState]]:
        return _readable(self._rows(_NIGHTS), lambda row: (row[0], _switch(*row[1:])))[0]

    def _handlings(self) -> list[tuple[str, Handling]]:
        return _readable(self._rows(_HANDLINGS), lambda row: (row[0], handling_of(row[1:])))[0]

    def _damaged(self) -> int:
        """Return how many rows cannot be read."""
        return (
            _readable(self._rows(_SELECT), lambda row: _login(row[2:]))[1]
            + _readable(self._rows(_NIGHTS), lambda row: _switch(*row[1:]))[1]
            + _readable(self._rows(_HANDLINGS), lambda row: handling_of(row[1:]))[1]
        )

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._database.transaction() as connection:
            return connection.execute(query).fetchall()

    def _commit(self, changes: tuple[Change, ...], dropped: tuple[Place, ...]) -> None:
        with self._database.transaction() as connection:
            _write(connection, changes)
            connection.executemany(_DELETE, dropped)


def _readable(rows: Iterable[tuple[Any, ...]], make: Callable[[tuple[Any, ...]], T]) -> tuple[list[T], int]:
    """Return what can be made of rows, and of how many nothing can."""
    made, damaged = [], 0
    for row in rows:
        try:
            made.append(make(row))
        except DAMAGED:
            damaged += 1
    return made, damaged


def _write(connection: sqlite3.Connection, changes: tuple[Change, ...]) -> None:
    for change in changes:
        if isinstance(change, LoginChange):
            connection.execute(_REPLACE, (change.group, change.member, *_row(change.after)))
        elif isinstance(change, HandlingChange):
            connection.execute(_HANDLE, (change.line, *handling_row(change.after)))
        else:
            switch = change.after
            connection.execute(_SWITCH, (change.group, switch.night, switch.since, switch.by, switch.origin))


def _row(login: Login) -> tuple[object, ...]:
    values = {f.name: getattr(login, f.name) for f in fields(Login)}
    return tuple({**values, "back": None if login.back is None else json.dumps(_plain(login.back))}.values())


def _plain(login: Login) -> dict[str, object]:
    """Return a login as JSON keeps it, without what is as it always is."""
    values = {f.name: getattr(login, f.name) for f in fields(Login) if getattr(login, f.name) != f.default}
    return {**values, "back": _plain(login.back)} if login.back is not None else values


def _login(row: tuple[object, ...]) -> Login:
    """Return the login that a row says."""
    values = dict(zip((f.name for f in fields(Login)), row, strict=True))
    back = values.pop("back")
    return _made(values, None if back is None else json.loads(str(back)))


def _made(values: dict[str, object], back: dict[str, object] | None) -> Login:
    """Return a login from its values; an origin that this version does not know is left out."""
    for flag in ("logged_in", "paused", "permanent", "unsure"):
        values[flag] = bool(values.get(flag))
    for key in ("origin", "pause_origin"):
        values[key] = _origin(values.get(key))
    under = None if back is None else _made(back, back.pop("back", None))  # type: ignore[arg-type]
    return Login(**{**values, "back": under})  # type: ignore[arg-type]


def _switch(night: str, since: float, by: str | None, origin: str | None) -> NightState:
    """Return the switch that a row says; a position that this version does not know is by hours."""
    with suppress(ValueError):
        return NightState(Night(night), since, by, _origin(origin))
    return UNTOUCHED


def _origin(word: object) -> Origin | None:
    with suppress(ValueError):
        return Origin(str(word))
    return None
