"""What a phone's lamp can be about: what it subscribes to is a number, or a code with a number, as it would dial it.

| subscribed to | lit | blinks |
|---|---|---|
| a line's number, or the pickup code and it | its phone is in use | its phone rings |
| a group's number, or the pickup code and it | – | a caller of the group rings or waits |
| the toggle code and a group; alone: the phone's own groups | who has the phone is logged in | paused |
| the night code and a group | it takes no calls | – |
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from bridge.commands.phones import actor_at
from bridge.commands.rights import is_own
from bridge.directory.codes import Code
from bridge.directory.model import Directory


class What(Enum):
    """What a lamp is about."""

    LINE = "line"
    CALLERS = "callers"
    LOGIN = "login"
    NIGHT = "night"


class Watchable(NamedTuple):
    """One thing: a line, or one or several groups; of a login its member."""

    what: What
    names: tuple[str, ...]
    member: str = ""


def watchable(dialled: str, line: str, directory: Directory) -> Watchable | int:
    """Return what the phone of a line means by a number; 404 where it is nothing, 403 where it is not for it."""
    read = directory.codes.read(dialled)
    number = dialled if read is None else read.target
    group = directory.group(number)
    if read is not None and read.code is Code.TOGGLE:
        return _login(number, line, directory)
    if read is not None and read.code is Code.NIGHT:
        return Watchable(What.NIGHT, (group.name,)) if group else 404
    if read is not None and read.code is not Code.PICKUP:
        return 404
    if group is not None and group.number is not None:
        return Watchable(What.CALLERS, (group.name,))
    found = directory.line_by_number.get(number) or (directory.lines.get(number) if read is not None else None)
    return Watchable(What.LINE, (found.name,)) if found else 404


def _login(number: str, line: str, directory: Directory) -> Watchable | int:
    actor = actor_at(line, directory)
    mine = [g for g in directory.groups.values() if (m := g.member(actor.name)) is not None and is_own(actor, m)]
    if number:
        group = directory.group(number)
        if group is None:
            return 404
        mine = [group] if group in mine else []
    return Watchable(What.LOGIN, tuple(group.name for group in mine), actor.name) if mine else 403
