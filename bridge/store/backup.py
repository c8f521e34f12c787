"""Backups: a tar.gz of copied databases and a configuration without secrets; checked whole before anything is replaced.

A database is copied by SQLite itself (VACUUM INTO), so that the copy is of one moment and whole, whoever writes to it.
All of it waits for the disk.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bridge.store import journalfile, logins
from bridge.store.database import Database
from bridge.store.errors import StoreError, told
from bridge.store.journal import opened_for_reading

DATABASES = {"logins.db": logins.MIGRATIONS, "journal.db": journalfile.MIGRATIONS}
CONFIGURATION = "cti-bridge.toml"
MANIFEST = "manifest.json"
FORMAT = 1
_LARGEST = 4 * 2**30  # bytes of one file


class Backup(NamedTuple):
    """What is in a backup: `made` is UTC, ISO 8601; `files` by name; `secrets` are the paths of those blotted out."""

    made: str
    version: str
    secrets: tuple[str, ...]
    files: tuple[str, ...]


def copy_file(source: Path, target: Path) -> None:
    """Copy a database that no agent has open. Raises StoreError."""
    with opened_for_reading(source) as connection, told(source):
        connection.execute("VACUUM INTO ?", (str(target),))


def pack(target: Path, databases: Mapping[str, Path], text: str | None, made: str, version: str,
         secrets: Sequence[str]) -> Backup:  # fmt: skip
    """Write a backup, readable for its owner alone. Raises StoreError; then none is left behind."""
    files = tuple(databases) + ((CONFIGURATION,) if text is not None else ())
    manifest = {"format": FORMAT, "made": made, "version": version, "secrets": list(secrets), "files": list(files)}
    unfinished = target.with_name(f"{target.name}.part")
    with told(target):
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                with tarfile.open(fileobj=file, mode="w:gz") as archive:
                    _add(archive, MANIFEST, json.dumps(manifest, indent=2).encode())
                    if text is not None:
                        _add(archive, CONFIGURATION, text.encode())
                    for name, path in databases.items():
                        archive.add(path, name, recursive=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
    return Backup(made, version, tuple(secrets), files)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def unpack(source: Path, into: Path) -> Backup:
    """Take a backup apart into an empty directory, and check all that is in it. Raises StoreError."""
    with told(source):
        try:
            with tarfile.open(source, "r:gz") as archive:
                backup = _manifest(source, archive)
                for name in backup.files:
                    _extract(archive, name, into / name)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{source} is no backup of cti-bridge, or damaged: {error}") from None
    for name in backup.files:
        if name in DATABASES:
            _check(source, into / name)
    return backup


def _manifest(source: Path, archive: tarfile.TarFile) -> Backup:
    file = archive.extractfile(MANIFEST)
    assert file is not None
    body: dict[str, Any] = json.loads(file.read(2**20))
    if body["format"] != FORMAT:
        raise StoreError(f"{source} was made by a newer cti-bridge ({body['version']}); restore it with that version")
    files = tuple(map(str, body["files"]))
    if unknown := set(files) - {*DATABASES, CONFIGURATION}:
        raise ValueError(f"{', '.join(sorted(unknown))} does not belong into one")
    return Backup(str(body["made"]), str(body["version"]), tuple(map(str, body["secrets"])), files)


def _extract(archive: tarfile.TarFile, name: str, target: Path) -> None:
    info = archive.getmember(name)
    if not info.isfile() or info.size > _LARGEST:
        raise ValueError(f"{name} is no ordinary file")
    file = archive.extractfile(info)
    assert file is not None
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while block := file.read(2**20):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def _check(source: Path, path: Path) -> None:
    """Open a database from a backup as the agent would; bring it to the newest schema."""
    aside = Database(path, DATABASES[path.name], "FULL", lambda: 0.0)
    if aside.open() is not None:
        raise StoreError(f"{source}: {path.name} in it is damaged; nothing was replaced")
    aside.close()


def replace(new: Path, old: Path, stamp: str, owner: Callable[[Path], None]) -> Path | None:
    """Put a file in another's place; return where that one is kept now. Raises StoreError."""
    kept = None
    with told(old):
        old.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if old.exists():
            kept = old.with_name(f"{old.name}.before-{stamp}")
            os.replace(old, kept)
            for suffix in ("-wal", "-shm"):
                side = Path(f"{old}{suffix}")
                if side.exists():
                    os.replace(side, f"{kept}{suffix}")
        beside = old.with_name(f"{old.name}.new")
        beside.write_bytes(new.read_bytes())
        beside.chmod(0o600)
        owner(beside)
        os.replace(beside, old)
    return kept


def stamped(wall: float) -> str:
    """Return a moment as names of files have it."""
    return datetime.datetime.fromtimestamp(wall, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def locked(path: Path) -> None:
    """Raise StoreError where another process has a database open, though nobody answers for it."""
    with told(path):
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise
        finally:
            connection.close()
