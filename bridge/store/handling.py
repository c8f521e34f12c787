"""How a line's handling of calls is a row in SQLite."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

from bridge.directory.handling import Handling
from bridge.directory.logins import Origin
from bridge.store.database import Migration

HANDLING: Migration = (
    """
    CREATE TABLE handling (
        line TEXT PRIMARY KEY,
        dnd INTEGER NOT NULL,
        always TEXT,
        busy TEXT,
        no_answer TEXT,
        after REAL NOT NULL,
        since REAL NOT NULL,
        by TEXT,
        origin TEXT
    ) STRICT, WITHOUT ROWID
    """,
)

_NAMES = tuple(f.name for f in fields(Handling))
COLUMNS = ", ".join(_NAMES)
COUNT = len(_NAMES)


def handling_row(handling: Handling) -> tuple[object, ...]:
    """Return a row, without its line."""
    return tuple(getattr(handling, name) for name in _NAMES)


def handling_of(row: tuple[object, ...]) -> Handling:
    """Return what a row says; an origin that this version does not know is left out."""
    values = dict(zip(_NAMES, row, strict=True))
    origin = None
    with suppress(ValueError):
        origin = Origin(str(values["origin"]))
    return Handling(**{**values, "dnd": bool(values["dnd"]), "origin": origin})  # type: ignore[arg-type]
