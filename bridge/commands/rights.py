"""What an actor may do to a member: levels over somebody, which only add, and the services of leaders.

A viewer's level over a member is the highest of the site-wide default and of every active group that both
are in (`member_level`) or that the viewer leads (`leader_level`). Devices take no part in it: no level
applies to them or through them. `supervise` lets a leader change all logins in that group, those of devices
too, and pause them, since a pause is the smaller part of a login.
"""

from __future__ import annotations

from enum import StrEnum

from bridge.commands.model import Actor, Kind
from bridge.directory.model import Directory, Group, Level, Member

SUPERVISE = "supervise"

_RANK = {level: rank for rank, level in enumerate(Level)}


class Right(StrEnum):
    """What may be done to another member's login."""

    PAUSE = "pause"
    LOGIN = "log in or out"


NEEDED = {Right.PAUSE: Level.TEAM, Right.LOGIN: Level.PERSONAL}


def is_own(actor: Actor, member: Member) -> bool:
    """Whether the actor is this member."""
    kind = Kind.DEVICE if member.device else Kind.USER
    return actor.kind is kind and actor.name == member.name


def supervises(actor: Actor, group: Group) -> bool:
    """Whether the actor leads this active group and its leaders may change logins."""
    leads = actor.kind is Kind.USER and actor.name in group.leaders
    return leads and group.active and SUPERVISE in group.services


def level_over(actor: Actor, member: Member, directory: Directory, site: Level = Level.PUBLIC) -> Level:
    """Return the level that the actor has over a member; `site` is the site-wide default."""
    if actor.kind is not Kind.USER or member.device:
        return Level.NONE
    levels = [site]
    for group in directory.groups.values():
        if not group.active or not _has(group, member.name):
            continue
        if actor.name in group.leaders:
            levels.append(group.leader_level)
        if _has(group, actor.name):
            levels.append(group.member_level)
    return max(levels, key=_RANK.__getitem__)


def at_least(level: Level, needed: Level) -> bool:
    """Whether a level contains another."""
    return _RANK[level] >= _RANK[needed]


def _has(group: Group, user: str) -> bool:
    member = group.member(user)
    return member is not None and not member.device
