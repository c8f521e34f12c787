"""The socket's file: made for its group alone, taken over only from an agent that is gone."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

from bridge.control.reach import reach

MODE = 0o660
_BACKLOG = 64


class ControlError(Exception):
    """The control socket cannot be opened; the message names the path, what is wrong and what would be right."""


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at `path`. A file that nobody answers on is replaced. Raises ControlError."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _clear(path)
        return _bound(path)
    except OSError as error:
        wrong = error.strerror or str(error)
        raise ControlError(f"{path}: {wrong}; name another place with --control") from error


def remove(path: Path, listening: os.stat_result) -> None:
    """Remove the file if it is still the one that was made."""
    with suppress(OSError):
        found = path.lstat()
        if (found.st_dev, found.st_ino) == (listening.st_dev, listening.st_ino):
            path.unlink()


def _bound(path: Path) -> socket.socket:
    with ExitStack() as undo:
        listening = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        with reach(path) as name:
            listening.bind(name)
        path.chmod(MODE)  # before it listens, so that nobody connects who may not
        listening.listen(_BACKLOG)
        undo.pop_all()
    return listening


def _clear(path: Path) -> None:
    """Remove a socket that an agent left behind; refuse whatever else is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlError(f"{path} is there and is no socket; remove it, or name another place with --control")
    if _answers(path):
        raise ControlError(f"another agent answers at {path}; end it, or give this one its own --control")
    path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            with reach(path) as name:
                probe.connect(name)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:  # so many wait to be accepted that somebody must be there
            return True
    return True
