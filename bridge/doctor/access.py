"""Whether a login may use a file, told from its permissions: root asks for the service's login."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

READ, WRITE = 4, 2


def may(user: str, path: Path, wanted: int) -> bool:
    """Whether `user` may read or write (bits of the two) what is at `path`. Raises OSError where nothing is."""
    if user == current_user() and os.geteuid() != 0:
        return os.access(path, (os.R_OK if wanted & READ else 0) | (os.W_OK if wanted & WRITE else 0))
    found = path.stat()
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return False
    if entry.pw_uid == 0:
        return True
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == entry.pw_uid:
        return (mode >> 6) & wanted == wanted
    if found.st_gid in os.getgrouplist(user, entry.pw_gid):
        return (mode >> 3) & wanted == wanted
    return mode & wanted == wanted


def group_of(path: Path) -> str:
    """Return the name of a file's group."""
    gid = path.stat().st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def current_user() -> str:
    """Return the login that asks."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def user_of(path: Path) -> str | None:
    """Return whose a file is; None where nobody is known."""
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (OSError, KeyError):
        return None
