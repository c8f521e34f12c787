"""What a restart takes up again, as rows of JSON: registrations, and talks that go on without us.

In a file of its own, not waited for by anybody: written soon after a change, kind by kind. Only what is another object
than at the last write is written, so that one call more costs no more with 500 talks up. A crash of the agent loses
none of it, a power cut at most the last moments (synchronous=NORMAL): after that phones register again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from bridge.events import Notice
from bridge.store.database import Database, Migration
from bridge.store.errors import DAMAGED
from bridge.store.thread import StoreThread

MIGRATIONS: tuple[Migration, ...] = (
    (
        """
        CREATE TABLE kept (
            kind TEXT NOT NULL,
            number INTEGER NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (kind, number)
        ) STRICT, WITHOUT ROWID
        """,
    ),
)


class KeptStore:
    """The file of what is kept, behind a thread of its own. Every method may raise StoreError."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._database = Database(path, MIGRATIONS, "NORMAL", wall, ("SELECT kind, number, value FROM kept",))
        self._thread = StoreThread("store-kept")
        self._written: dict[str, _Rows] = {}  # by kind, once it was written since the start; the thread's

    async def open(self) -> tuple[Notice, ...]:
        """Open the file; return what a person should know about that."""
        aside = await self._thread.do(self._database.open)
        path = self._database.path
        if aside is not None:
            text = f"{path} was damaged; it is kept as {aside.name}, and phones have to register again"
            return (Notice(self._wall(), "store_broken", text),)
        damaged = await self._thread.do(self._damaged)
        if not damaged:
            return ()
        text = f"{path} is damaged: {damaged} entries cannot be read, so talks or registrations are lost"
        return (Notice(self._wall(), "store_broken", text),)

    async def load(self, kind: str) -> list[dict[str, Any]]:
        """Return the values of a kind, in their order."""
        return await self._thread.do(partial(self._load, kind))

    async def replace(self, kind: str, values: Sequence[dict[str, Any]]) -> None:
        """Have these values of a kind in place of those before; what is given again must not have been changed."""
        await self._thread.do(partial(self._replace, kind, values))

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._thread.close(self._database.close)

    def _load(self, kind: str) -> list[dict[str, Any]]:
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT value FROM kept WHERE kind = ? ORDER BY number", (kind,))
            return [value for (text,) in rows if (value := _value(text)) is not None]

    def _damaged(self) -> int:
        with self._database.transaction() as connection:
            return sum(_value(text) is None for (text,) in connection.execute("SELECT value FROM kept"))

    def _replace(self, kind: str, values: Sequence[dict[str, Any]]) -> None:
        rows = self._written.pop(kind, None)  # and is not there any more where the disk does not take them
        with self._database.transaction() as connection:
            if rows is None:
                connection.execute("DELETE FROM kept WHERE kind = ?", (kind,))
                rows = _Rows()
            gone, fresh = rows.become(values)
            rows_gone = ((kind, number) for number in gone)
            connection.executemany("DELETE FROM kept WHERE kind = ? AND number = ?", rows_gone)
            connection.executemany(
                "INSERT OR REPLACE INTO kept (kind, number, value) VALUES (?, ?, ?)",
                ((kind, number, json.dumps(value)) for number, value in fresh),
            )
        self._written[kind] = rows


class _Rows:
    """Which value of a kind stands in which row."""

    def __init__(self) -> None:
        self._numbers = count()
        self._rows: dict[int, tuple[int, dict[str, Any]]] = {}  # by the value's identity, which is held here

    def become(self, values: Sequence[dict[str, Any]]) -> tuple[list[int], list[tuple[int, dict[str, Any]]]]:
        """Go over to other values; return the rows that are to go and those that are to be added."""
        before, self._rows = self._rows, {}
        fresh = []
        for value in values:
            row = before.pop(id(value), None)
            if row is None:
                row = next(self._numbers), value
                fresh.append(row)
            self._rows[id(value)] = row
        return [number for number, _ in before.values()], fresh


def _value(text: str) -> dict[str, Any] | None:
    """Return what a row says, None where that cannot be read."""
    try:
        value = json.loads(text)
    except DAMAGED:
        return None
    return value if isinstance(value, dict) else None
