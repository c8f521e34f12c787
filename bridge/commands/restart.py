"""What a start or a new configuration changes in the logins that are kept.

A login of a user survives a restart. A login of a device that was made with its phone is reset, unless another door
made it permanent; one that its schedule made is the schedule's, and stays. `restart = "keep" | "reset" |
"keep-if-younger-than 8h"` overrides that. What a lease stands in front of goes the same way, so that no lease brings
back what a restart has ended. A clock that was set back makes a login look younger, never older, and so keeps it.

A new configuration changes no login; it drops who has left it, and lets in who is always in from now on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bridge.commands.leases import advanced, grounded
from bridge.commands.moments import seconds
from bridge.directory.instant import Instant
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory, Member

YOUNGER = "keep-if-younger-than "
RESTART = "restart"
CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be written before anything is served."""

    changes: tuple[LoginChange, ...]
    dropped: tuple[tuple[str, str], ...]  # (group, member) of those who left the configuration


def at_start(directory: Directory, logins: Logins, now: Instant) -> Start:
    """Return what the start changes in `logins` as they were found; what time has changed meanwhile included."""
    return Start(tuple(_changes(directory, logins, now)), tuple(_left(directory, logins)))


def at_reload(directory: Directory, logins: Logins, now: Instant) -> Start:
    """Return what a new configuration changes."""
    changes = []
    for group in directory.groups.values():
        for member in group.members:
            before = logins.get(group.name, member.name)
            after = _always_in(before, now) if member.always else before
            if after != before:
                changes.append(LoginChange(group.name, member.name, before, after, CONFIGURATION))
    return Start(tuple(changes), tuple(_left(directory, logins)))


def _left(directory: Directory, logins: Logins) -> Iterable[tuple[str, str]]:
    for (group_name, member_name), _ in logins:
        group = directory.groups.get(group_name)
        if group is None or group.member(member_name) is None:
            yield group_name, member_name


def _changes(directory: Directory, logins: Logins, now: Instant) -> Iterable[LoginChange]:
    for group in directory.groups.values():
        for member in group.members:
            before = logins.get(group.name, member.name)
            kept = _after_restart(member, grounded(before, now), now)
            after, cause = advanced(member, kept, now)
            if after != before:
                yield LoginChange(group.name, member.name, before, after, cause or RESTART)


def _after_restart(member: Member, before: Login, now: Instant) -> Login:
    if member.always:
        return _always_in(before, now)
    if before.logged_in and not _kept(member, before, now):
        # of a member with a schedule nothing is known from now on, so that the schedule says what holds
        since = 0.0 if member.schedule else now.stamp
        unsure = not (now.synchronised or member.schedule)
        return Login(False, since, "bridge", Origin.BRIDGE, "restart", unsure=unsure)
    if before.back is None:
        return before
    return replace(before, back=_after_restart(member, before.back, now))


def _always_in(before: Login, now: Instant) -> Login:
    """Return the login of a static member: in, without a lease."""
    if before.logged_in:
        return replace(before, until=None, lasts=None, back=None)
    return Login(True, now.stamp, "bridge", Origin.BRIDGE, unsure=not now.synchronised)


def _kept(member: Member, login: Login, now: Instant) -> bool:
    if member.restart.startswith(YOUNGER):
        age = (now.steady if login.unsure else now.wall) - login.since
        return age < seconds(member.restart.removeprefix(YOUNGER))
    if member.restart in ("keep", "reset"):
        return member.restart == "keep"
    return login.permanent or not member.device or login.origin is Origin.SCHEDULE
