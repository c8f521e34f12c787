"""Effective rights, and where each comes from: what `cti-bridge rights` tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.commands.model import OWNER, Actor, CommandError, Kind
from bridge.commands.rights import (
    LEADER_JOURNAL,
    MEMBER_JOURNAL,
    Right,
    Source,
    additional_lines,
    belongs,
    leads,
    level_over,
    own_line,
    people_at,
    sees_journal,
    sources,
)
from bridge.directory.model import Directory, Group

LISTED_AT_MOST = 20


def rights(viewer: str, target: str | None, asker: Actor, directory: Directory) -> dict[str, Any]:
    """Return what `viewer` may see and do of `target`, or of everybody.

    Users may ask what they have over others and what others have over them; the rest is the owner's to know. Raises
    CommandError `unknown_member` or `not_allowed`.
    """
    found = somebody(viewer, directory)
    others = [somebody(target, directory)] if target else [who for who in everybody(directory) if who != found]
    if not (asker.is_owner or asker == found or others == [asker]):
        text = f"{asker.name} may not ask what {viewer} has over others; right is what concerns {asker.name}"
        raise CommandError("not_allowed", text)
    return {
        "viewer": found.name,
        "kind": found.kind.value,
        "over": {who.name: _over(found, who, directory) for who in others},
        "lines": _lines(found, directory),
        "journals": {name: ways for name, group in directory.groups.items() if (ways := _journal(found, group))},
    }


def everybody(directory: Directory) -> list[Actor]:
    """Return all users and devices."""
    users = [Actor(Kind.USER, name) for name in directory.users]
    return users + [Actor(Kind.DEVICE, line) for line in directory.lines if line not in directory.users_by_line]


def somebody(key: str, directory: Directory) -> Actor:
    """Return the user of this name, or who is reached at the line of this name or number; "owner" is the owner.

    Raises CommandError `unknown_member`.
    """
    if key in directory.users:
        return Actor(Kind.USER, key)
    line = directory.lines.get(key) or directory.line_by_number.get(key)
    if line is not None:
        return people_at(line.name, directory)[0]
    if key == OWNER.name:
        return OWNER
    names = [who.name for who in everybody(directory)]
    more = f" and {len(names) - LISTED_AT_MOST} more" if len(names) > LISTED_AT_MOST else ""
    listed = ", ".join(names[:LISTED_AT_MOST]) or "nobody"
    raise CommandError("unknown_member", f"there is no user or line {key[:64]!r}; there are {listed}{more}")


def _over(viewer: Actor, target: Actor, directory: Directory) -> dict[str, Any]:
    found = list(sources(viewer, target, directory))
    return {
        "name": directory.shown(target.name),
        "kind": target.kind.value,
        "level": level_over(viewer, target, directory).value,
        "rights": {_key(right): [_from(s) for s in found if right in s.rights] for right in Right},
        "sources": [_from(source) for source in found],
    }


def _key(right: Right) -> str:
    return right.name.lower()


def _from(source: Source) -> dict[str, Any]:
    """Return a source: where it is, its level, and the group where it counts for that alone."""
    return {"from": source.where, "level": source.level and source.level.value, "in": source.group}


def _lines(viewer: Actor, directory: Directory) -> dict[str, str]:
    """Return the lines that the viewer may control, and why."""
    if viewer.is_owner:
        return dict.fromkeys(directory.lines, "owner")
    found = dict.fromkeys(additional_lines(viewer, directory), "additional")
    user = directory.users.get(viewer.name) if viewer.kind is Kind.USER else None
    if user is not None and user.second_line is not None:
        found[user.second_line] = "own second line"
    own = own_line(viewer, directory)
    return {**found, own: "own"} if own is not None else found


def _journal(viewer: Actor, group: Group) -> list[str]:
    return list(_journal_ways(viewer, group)) if sees_journal(viewer, group) else []


def _journal_ways(viewer: Actor, group: Group) -> Iterator[str]:
    if viewer.is_owner:
        yield "owner"
    if viewer.kind is Kind.USER and belongs(viewer, group) and MEMBER_JOURNAL in group.services:
        yield f"as member ({MEMBER_JOURNAL})"
    if leads(viewer, group) and LEADER_JOURNAL in group.services:
        yield f"as leader ({LEADER_JOURNAL})"
