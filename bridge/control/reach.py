"""How a socket's file is named to the kernel, however deep it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 107
"""Bytes of a socket's path that the kernel takes (unix(7))."""


@contextmanager
def reach(path: Path) -> Iterator[str]:
    """Yield what to bind or connect to for `path`: itself, or where it is too long its name behind an open directory.

    Raises OSError where the directory is not there.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
