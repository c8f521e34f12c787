"""What a start changes in the logins that were kept: who has left, who is always in, which devices are reset.

A login of a user survives. A login of a device that was made with its phone is reset, unless another door
made it permanent. `restart = "keep" | "reset" | "keep-if-younger-than 8h"` overrides both. A clock that was
set back makes a login look younger, never older, and so keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.commands.moments import seconds
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory, Member

YOUNGER = "keep-if-younger-than "


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be written before anything is served."""

    changes: tuple[LoginChange, ...]
    dropped: tuple[tuple[str, str], ...]  # (group, member) of those who left the configuration


def at_start(directory: Directory, logins: Logins, wall: float) -> Start:
    """Return what the start changes in `logins` as they were found. `wall` is UTC seconds."""
    return Start(tuple(_changes(directory, logins, wall)), tuple(_left(directory, logins)))


def _left(directory: Directory, logins: Logins) -> Iterable[tuple[str, str]]:
    for (group_name, member_name), _ in logins:
        group = directory.groups.get(group_name)
        if group is None or group.member(member_name) is None:
            yield group_name, member_name


def _changes(directory: Directory, logins: Logins, wall: float) -> Iterable[LoginChange]:
    for group in directory.groups.values():
        for member in group.members:
            before = logins.get(group.name, member.name)
            after = _after_restart(member, before, wall)
            if after != before:
                yield LoginChange(group.name, member.name, before, after)


def _after_restart(member: Member, before: Login, wall: float) -> Login:
    if member.always:
        return before if before.logged_in else Login(True, wall, "bridge", Origin.BRIDGE)
    if before.logged_in and not _kept(member, before, wall):
        return Login(False, wall, "bridge", Origin.BRIDGE, "restart")
    return before


def _kept(member: Member, login: Login, wall: float) -> bool:
    if member.restart.startswith(YOUNGER):
        return wall - login.since < seconds(member.restart.removeprefix(YOUNGER))
    if member.restart in ("keep", "reset"):
        return member.restart == "keep"
    return login.permanent or not member.device
