"""Which places in groups a command is about: names and numbers looked up, "all" expanded."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.commands.model import CommandError
from bridge.directory.model import Directory, Group, Member

ALL = "all"
LISTED_AT_MOST = 20

Place = tuple[Group, Member]


def places(directory: Directory, group: str, member: str) -> tuple[Place, ...]:
    """Return the places that `group` (name, number or "all") and `member` (name or "all") mean, in order.

    Raises CommandError `unknown_group` or `unknown_member` with the names that would be right.
    """
    groups = groups_of(directory, group)
    if member == ALL:
        return tuple((g, m) for g in groups for m in g.members)
    found = tuple((g, m) for g in groups if (m := g.member(member)) is not None)
    if not found:
        raise _unknown_member(groups, member)
    return found


def groups_of(directory: Directory, group: str) -> tuple[Group, ...]:
    """Return the groups that a name, a number or "all" means; raises CommandError `unknown_group`."""
    return tuple(directory.groups.values()) if group == ALL else (find_group(directory, group),)


def find_group(directory: Directory, key: str) -> Group:
    """Return the group with this name or number; raises CommandError `unknown_group`."""
    group = directory.group(key)
    if group is None:
        names = (f"{g.name} ({g.number})" if g.number else g.name for g in directory.groups.values())
        raise CommandError("unknown_group", f"there is no group {key!r}; {_listed('groups', names)}")
    return group


def find_member(group: Group, name: str) -> Member:
    """Return the member of this name in a group; raises CommandError `unknown_member`."""
    member = group.member(name)
    if member is None:
        raise _unknown_member((group,), name)
    return member


def _unknown_member(groups: tuple[Group, ...], name: str) -> CommandError:
    where = f"in group {groups[0].name}" if len(groups) == 1 else "in any group"
    names = dict.fromkeys(m.name for g in groups for m in g.members)
    return CommandError("unknown_member", f"there is no member {name!r} {where}; {_listed('members', names)}")


def _listed(what: str, names: Iterable[str]) -> str:
    every = list(names)
    if not every:
        return f"it has no {what}" if what == "members" else f"no {what} are configured"
    more = len(every) - LISTED_AT_MOST
    tail = f" and {more} more" if more > 0 else ""
    return f"{what} are: {', '.join(every[:LISTED_AT_MOST])}{tail}"
