"""Putting a configuration and its secrets where they belong: whole or not at all, never over what is there."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bridge.config.find import SKELETON
from bridge.config.load import parse
from bridge.config.settings import Settings
from bridge.recipes.text import SECRETS, Written

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that a person takes for another, on a phone's keys
LENGTH = 16

_CONFIGURATION = 0o640
_SECRET = 0o600


class PlaceError(Exception):
    """Something is there already, or cannot be written; the message says what would be right."""


def made_up() -> str:
    """Return a password that nobody guesses and everybody can type."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def is_free(path: Path) -> bool:
    """Whether a configuration may be written there: nothing is, or what every installation begins with."""
    if not path.exists():
        return True
    try:
        return path.read_bytes() == SKELETON.read_bytes()
    except OSError:
        return False


def put(path: Path, written: Written, *, overwrite: bool = False) -> Settings:
    """Write the configuration, and the secrets beside it; return its settings.

    A secret that is to be made up and is there already stays as it is: phones know it. What is written over is kept
    under another name. Raises ConfigError, before anything is written, where the configuration would not be right, and
    PlaceError.
    """
    if not overwrite and not is_free(path):
        raise PlaceError(
            f"{path} is there; say --force to write over it (the old one is kept), or name another --config"
        )
    try:
        found = _secrets(path.parent / SECRETS, written.secrets, overwrite)
        settings = _settings(written.text, path.parent, found)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_secrets(path.parent / SECRETS, found)
        _write_configuration(path, written.text)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise PlaceError(f"{where}{error.strerror or error}; name another place with --config, or use sudo") from None
    return settings


def _secrets(directory: Path, wanted: Mapping[str, str | None], overwrite: bool) -> dict[str, str]:
    """Return each secret by its file's name: what was given, what is there, or a new one."""
    found = {}
    for name, given in wanted.items():
        path = directory / name
        there = path.read_text().removesuffix("\n") if path.exists() else None
        if given is not None and there not in (None, given) and not overwrite:
            raise PlaceError(f"{path} is there, with another secret; say --force to write over it")
        found[name] = given or there or made_up()
    return found


def _settings(text: str, base: Path, found: Mapping[str, str]) -> Settings:
    """Check the configuration as it will be, with secrets in a directory that nobody else can read."""
    with tempfile.TemporaryDirectory() as directory:
        trial = Path(directory, SECRETS)
        trial.mkdir(mode=0o700)
        for name, secret in found.items():
            (trial / name).write_text(secret)
        return parse(text.replace(f'"{SECRETS}/', f'"{trial}/'), base, os.environ)


def _write_secrets(directory: Path, found: Mapping[str, str]) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    owner = directory.stat()
    for name, secret in found.items():
        _replace(directory / name, f"{secret}\n", _SECRET, owner)


def _write_configuration(path: Path, text: str) -> None:
    if not path.exists():
        _replace(path, text, _CONFIGURATION, None)
        return
    before = path.stat()
    if path.read_bytes() != SKELETON.read_bytes():
        path.rename(_name_for_old(path))
    _replace(path, text, before.st_mode & 0o777, before)


def _name_for_old(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return path.with_name(f"{path.name}.before-{stamp}")


def _replace(path: Path, text: str, mode: int, owner: os.stat_result | None) -> None:
    """Write a file that is whole at every moment; root leaves it to `owner`."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with ExitStack() as undo:
        undo.callback(new.unlink, missing_ok=True)
        with open(fd, "w", encoding="utf-8") as file:
            os.fchmod(fd, mode)
            if owner is not None and os.geteuid() == 0:
                os.fchown(fd, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(fd)
        new.replace(path)
        undo.pop_all()
