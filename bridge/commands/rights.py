"""What an actor may see and do of others: the one place that says so, for every command and every view.

Levels only add. A user's level over another is the highest of the site-wide default, of every active group that both
are in (`member_level`), of every active group that the viewer leads and the other is in (`leader_level`; a leader need
not be a member), and of what the other granted. `LEVELS` is the whole table of what a level gives.

Beside the levels: everybody has all rights over themselves; `supervise` lets the leaders of an active group change its
members' logins, devices' too, and pause them, since a pause is the smaller part of a login; a line is controlled by
its own user and by whom it was given to as an additional line, and never through a level.

A device is a line without a user. No level applies to it or through it. That it is in a group, whether it is logged in
and whether its line is busy is the group's own: it is shown to whom the group is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.commands.model import Actor, CommandError, Kind
from bridge.directory.model import Directory, Group, Level, Member

SUPERVISE = "supervise"
MEMBER_JOURNAL = "member_journal"
LEADER_JOURNAL = "leader_journal"


class Right(StrEnum):
    """What may be seen or done of another; the words complete "may not ...: anna"."""

    SEE_STATE = "see login and line state of"
    SEE_CALLS = "see callers and the diversion of"
    SEE_SECOND_CALLS = "see callers and the diversion at the second line of"
    PAUSE = "pause"
    PICKUP = "pick up calls that ring at"
    PICKUP_SECOND = "pick up calls that ring at the second line of"
    DIVERT = "set the diversion of"
    LOGIN = "log in or out"
    CONTROL = "control the line of"  # dial, answer, hang up, hold, transfer, divert a call: never by a level


NEEDED: Mapping[Right, Level] = {
    Right.SEE_STATE: Level.PUBLIC,
    Right.SEE_CALLS: Level.BUSINESS,
    Right.SEE_SECOND_CALLS: Level.TEAM,
    Right.PAUSE: Level.TEAM,
    Right.PICKUP: Level.TEAM,
    Right.PICKUP_SECOND: Level.PERSONAL,
    Right.DIVERT: Level.PERSONAL,
    Right.LOGIN: Level.PERSONAL,
}
"""The lowest level that gives a right; one that is not here is given by no level."""

_RANK = {level: rank for rank, level in enumerate(Level)}
_SUPERVISED = frozenset({Right.LOGIN, Right.PAUSE})
_SECOND = {Right.SEE_CALLS: Right.SEE_SECOND_CALLS, Right.PICKUP: Right.PICKUP_SECOND}
_OF_A_GROUP = frozenset({Right.SEE_STATE})


@dataclass(frozen=True, slots=True)
class Source:
    """Where rights come from: `where` in words, the level there, and the rights that it gives.

    `group` is set where it gives them in that group alone.
    """

    where: str
    level: Level | None
    rights: frozenset[Right]
    group: str | None = None


def rights_of(level: Level) -> frozenset[Right]:
    """Return all rights that a level gives."""
    return frozenset(right for right, needed in NEEDED.items() if at_least(level, needed))


def at_least(level: Level, needed: Level) -> bool:
    """Whether a level contains another."""
    return _RANK[level] >= _RANK[needed]


def whose(member: Member) -> Actor:
    """Return the user or device that a member is."""
    return Actor(Kind.DEVICE if member.device else Kind.USER, member.name)


def is_own(actor: Actor, member: Member) -> bool:
    """Whether the actor is this member."""
    return actor == whose(member)


def leads(actor: Actor, group: Group) -> bool:
    """Whether the actor is a leader of this group, which is active."""
    return group.active and actor.kind is Kind.USER and actor.name in group.leaders


def belongs(actor: Actor, group: Group) -> bool:
    """Whether the actor is a member of this group, which is active."""
    member = group.member(actor.name)
    return group.active and member is not None and is_own(actor, member)


def supervises(actor: Actor, group: Group) -> bool:
    """Whether the actor leads this active group and its leaders may change logins."""
    return leads(actor, group) and SUPERVISE in group.services


def sees_journal(actor: Actor, group: Group) -> bool:
    """Whether the actor sees the group's journal: by `member_journal` or `leader_journal`; the owner always."""
    if actor.is_owner:
        return True
    as_member = actor.kind is Kind.USER and belongs(actor, group) and MEMBER_JOURNAL in group.services
    return as_member or (leads(actor, group) and LEADER_JOURNAL in group.services)


def may(actor: Actor, right: Right, target: Actor, directory: Directory, group: Group | None = None) -> bool:
    """Whether the actor has a right over a user or device; `group`: in which group, where it is about a login there."""
    if actor.is_owner:
        return True
    inside = None if group is None else group.name
    return any(right in s.rights and s.group in (None, inside) for s in sources(actor, target, directory))


def require(actor: Actor, right: Right, target: Actor, directory: Directory, group: Group | None = None) -> None:
    """Return when the actor has the right; raises CommandError `not_allowed` that names the missing one."""
    if not may(actor, right, target, directory, group):
        raise CommandError("not_allowed", refusal(actor, right, target, directory, group))


def refusal(actor: Actor, right: Right, target: Actor, directory: Directory, group: Group | None = None) -> str:
    """Return what is said to an actor who has not the right: which one is missing, and what would give it."""
    inside = "" if group is None else f" in group {group.name}"
    ways = []
    if right is Right.CONTROL:
        ways.append("that is for its own user, and users who have it among their additional_lines")
    elif target.kind is Kind.DEVICE or actor.kind is Kind.DEVICE:
        ways.append(f"that is for {target.name} alone: no level applies to devices or through them")
    else:
        level = level_over(actor, target, directory)
        ways.append(f"that needs the level {NEEDED[right]} over {target.name} (here: {level})")
    if right in _private(target, directory):
        ways = [f"the line is private, and shows no numbers to anybody but {target.name}"]
    if right in _SUPERVISED:
        ways.append(f"a leader of {group.name if group else 'the group'} with the service {SUPERVISE}")
    return f"{actor.name} may not {right.value} {target.name}{inside}; {', or '.join(ways)}"


def level_over(actor: Actor, target: Actor, directory: Directory) -> Level:
    """Return the highest level that the actor has over somebody; none where either is a device."""
    found = (source.level for source in _levels(actor, target, directory))
    return max((level for level in found if level is not None), key=_RANK.__getitem__, default=Level.NONE)


def sources(actor: Actor, target: Actor, directory: Directory) -> Iterator[Source]:
    """Yield everything that gives the actor rights over a user or device, also what gives none beyond another."""
    if actor.is_owner:
        yield Source(actor.kind.value, None, frozenset(Right))
        return
    if actor == target:
        yield Source("own", None, frozenset(Right))
        return
    hidden = _private(target, directory)
    for source in (*_levels(actor, target, directory), *_additional(actor, target, directory)):
        yield replace(source, rights=source.rights - hidden) if hidden else source
    if target.kind is Kind.DEVICE:
        yield from _shown_with_groups(actor, target, directory)
    for group in _groups_of(target, directory):
        if supervises(actor, group):
            yield Source(f"group {group.name} as leader ({SUPERVISE})", None, _SUPERVISED, group.name)


def may_at(actor: Actor, right: Right, line: str, directory: Directory) -> bool:
    """Whether the actor has a right at a line: over the user whose own or second line it is, or the device it is.

    `right` is SEE_STATE, SEE_CALLS, PICKUP or CONTROL; at a second line the harder one is asked for.
    """
    if actor.is_owner or (right is Right.CONTROL and line in additional_lines(actor, directory)):
        return True
    return any(may(actor, needed, who, directory) for needed, who in _rights_at(right, line, directory))


def require_at(actor: Actor, right: Right, line: str, directory: Directory) -> None:
    """Return when the actor has the right at the line; raises CommandError `not_allowed` that names the missing one."""
    if may_at(actor, right, line, directory):
        return
    if right is Right.CONTROL:
        who = "that is for its own user, and users who have it among their additional_lines"
        raise CommandError("not_allowed", f"{actor.name} may not control line {line}; {who}")
    texts = [refusal(actor, needed, who, directory) for needed, who in _rights_at(right, line, directory)]
    raise CommandError("not_allowed", "; ".join(texts))


def people_at(line: str, directory: Directory) -> tuple[Actor, ...]:
    """Return the users whose own or second line it is; else the device that it is."""
    return tuple(who for _, who in _rights_at(Right.SEE_STATE, line, directory))


def _rights_at(right: Right, line: str, directory: Directory) -> list[tuple[Right, Actor]]:
    found = []
    for user, second in directory.users_by_line.get(line, ()):
        found.append((_SECOND.get(right, right) if second else right, Actor(Kind.USER, user.name)))
    return found or [(right, Actor(Kind.DEVICE, line))]


def own_line(target: Actor, directory: Directory) -> str | None:
    """Return the line of a user, or that a device is."""
    if target.kind is Kind.USER:
        user = directory.users.get(target.name)
        return user.line if user else None
    return target.name if target.kind is Kind.DEVICE else None


def additional_lines(actor: Actor, directory: Directory) -> tuple[str, ...]:
    """Return the lines whose control was given to the actor."""
    user = directory.users.get(actor.name) if actor.kind is Kind.USER else None
    return user.additional_lines if user else ()


def _additional(actor: Actor, target: Actor, directory: Directory) -> Iterator[Source]:
    """Yield what lines that the actor may control give: who controls a line sees its calls, and takes them."""
    lines = additional_lines(actor, directory)
    user = directory.users.get(target.name) if target.kind is Kind.USER else None
    if (own := own_line(target, directory)) in lines:
        rights = {Right.SEE_STATE, Right.SEE_CALLS, Right.PICKUP, Right.CONTROL}
        yield Source(f"additional line {own}", None, frozenset(rights))
    if user is not None and user.second_line in lines:
        rights = {Right.SEE_STATE, Right.SEE_SECOND_CALLS, Right.PICKUP_SECOND}
        yield Source(f"additional line {user.second_line}", None, frozenset(rights))


def _private(target: Actor, directory: Directory) -> frozenset[Right]:
    """Return what nobody else sees of somebody, since a line of theirs is private."""
    user = directory.users.get(target.name) if target.kind is Kind.USER else None
    lines = {Right.SEE_CALLS: own_line(target, directory), Right.SEE_SECOND_CALLS: user.second_line if user else None}
    return frozenset(
        right for right, name in lines.items() if name and (line := directory.lines.get(name)) and line.private
    )


def _levels(actor: Actor, target: Actor, directory: Directory) -> Iterator[Source]:
    if {actor.kind, target.kind} != {Kind.USER} or actor.name not in directory.users:
        return
    yield _by_level("site", directory.site_level)
    for group in _groups_of(target, directory):
        if belongs(actor, group):
            yield _by_level(f"group {group.name} as member", group.member_level)
        if leads(actor, group):
            yield _by_level(f"group {group.name} as leader", group.leader_level)
    user = directory.users.get(target.name)
    for name, level in user.grants if user else ():
        if name == actor.name:
            yield _by_level(f"grant of {target.name}", level)


def _shown_with_groups(actor: Actor, target: Actor, directory: Directory) -> Iterator[Source]:
    if at_least(directory.site_level, Level.PUBLIC):
        yield Source("site", None, _OF_A_GROUP)
    for group in _groups_of(target, directory):
        if belongs(actor, group):
            yield Source(f"group {group.name} as member", None, _OF_A_GROUP)
        if leads(actor, group):
            yield Source(f"group {group.name} as leader", None, _OF_A_GROUP)


def _groups_of(target: Actor, directory: Directory) -> Iterator[Group]:
    """Yield the active groups that a user or device is a member of."""
    for group, member in directory.groups_by_member.get(target.name, ()):
        if group.active and is_own(target, member):
            yield group


def _by_level(where: str, level: Level) -> Source:
    return Source(where, level, _GIVEN[level])


_GIVEN = {level: rights_of(level) for level in Level}
