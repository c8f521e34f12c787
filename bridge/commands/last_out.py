"""Who is the last one out: which groups a change leaves without any member who is logged in.

A pause leaves nobody out of a group, and so is no way of leaving it empty. What time does (a lease that ends, a
schedule) is never refused, for nobody asks; but it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.commands.model import CommandError
from bridge.directory.logins import LoginChange, Logins
from bridge.directory.model import Group, LastOut


def emptied(groups: Iterable[Group], changes: Sequence[LoginChange], logins: Logins) -> list[Group]:
    """Return the groups that have members logged in before `changes` to `logins`, and none after."""
    after = {(c.group, c.member): c.after.logged_in for c in changes}
    found = []
    for group in groups:
        inside = [m.name for m in group.members if logins.get(group.name, m.name).logged_in]
        now = [after.get((group.name, m.name), m.name in inside) for m in group.members]
        if inside and not any(now):
            found.append(group)
    return found


def refuse_if_told(groups: Iterable[Group]) -> None:
    """Raise CommandError `last_one` for a group that is not to be left empty."""
    for group in groups:
        if group.last_out is LastOut.REFUSE:
            what = f"nobody would be left in group {group.name}"
            raise CommandError("last_one", f'{what} (last_out = "refuse"); log somebody else in first')


def warnings(groups: Iterable[Group]) -> tuple[str, ...]:
    """Return what people should be told of groups that are empty now."""
    told = (group.name for group in groups if group.last_out is not LastOut.ALLOW)
    return tuple(f"nobody is left in group {name}; its callers are turned away or overflow" for name in told)
