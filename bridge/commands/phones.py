"""In whose name a phone speaks: its line's, which it has proven."""

from __future__ import annotations

from bridge.commands.model import Actor, Kind
from bridge.commands.rights import is_own
from bridge.directory.model import Directory, Group


def actor_at(line: str, directory: Directory) -> Actor:
    """Return the user whose line it is, else the one whose second line it is, else the device that it is."""
    users = sorted(directory.users_by_line.get(line, ()), key=lambda found: found[1])
    return Actor(Kind.USER, users[0][0].name) if users else Actor(Kind.DEVICE, line)


def groups_with(actor: Actor, directory: Directory) -> list[Group]:
    """Return the groups that a user or device is a member of, in their order."""
    return [group for group, member in directory.groups_by_member.get(actor.name, ()) if is_own(actor, member)]
