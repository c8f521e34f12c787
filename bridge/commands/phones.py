"""In whose name a phone speaks: its line's, which it has proven."""

from __future__ import annotations

from bridge.commands.model import Actor, Kind
from bridge.directory.model import Directory


def actor_at(line: str, directory: Directory) -> Actor:
    """Return the user whose line it is, else the one whose second line it is, else the device that it is."""
    for of in ("line", "second_line"):
        for user in directory.users.values():
            if getattr(user, of) == line:
                return Actor(Kind.USER, user.name)
    return Actor(Kind.DEVICE, line)
