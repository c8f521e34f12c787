"""SQLite's errors in words for people: the file, what is wrong, and what would help."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_READONLY: "it cannot be written; check its owner, and that its disk is not mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its directory exists and may be written",
    sqlite3.SQLITE_BUSY: "another process has it open; end the other agent, or give this one its own --state",
    sqlite3.SQLITE_CORRUPT: "its content is damaged; the next start puts it aside and begins a new one",
    sqlite3.SQLITE_NOTADB: "it is no database; the next start puts it aside and begins a new one",
    sqlite3.SQLITE_IOERR: "its disk reports an error; check the disk or SD card",
}


class StoreError(Exception):
    """The store cannot do what it was asked."""


DAMAGED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a row may raise that was damaged where SQLite does not look: it has no checksums."""


class BrokenFile(StoreError):
    """The file's content is damaged or not ours."""


@contextmanager
def unreadable_is_broken() -> Iterator[None]:
    """Turn what cannot be made of a file that is just opened into `BrokenFile`: our own statements are right."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR:
            raise BrokenFile(str(error)) from error
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system about `path` into StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its detail
        kind = BrokenFile if code in _BROKEN else StoreError
        raise kind(f"{path}: {_WORDS.get(code, error)}") from error
    except UnicodeDecodeError as error:  # sqlite3 chokes on its own message about a damaged schema
        raise BrokenFile(f"{path}: {_WORDS[sqlite3.SQLITE_CORRUPT]}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
