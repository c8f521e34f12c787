"""The first stage of the command path: may this actor do this?

A group's night switch is for who belongs to the group: its members, devices too, and its leaders.
"""

from __future__ import annotations

from bridge.commands.model import Actor, Command, CommandError, Kind, LoginCommand, LoginVerb, NightCommand
from bridge.commands.places import Place, groups_of, places
from bridge.commands.rights import NEEDED, SUPERVISE, Right, at_least, is_own, level_over, supervises
from bridge.directory.model import Directory, Group

_RIGHT_FOR = {
    LoginVerb.LOGIN: Right.LOGIN,
    LoginVerb.LOGOUT: Right.LOGIN,
    LoginVerb.TOGGLE: Right.LOGIN,
    LoginVerb.PAUSE: Right.PAUSE,
    LoginVerb.UNPAUSE: Right.PAUSE,
}


def authorise(command: Command, actor: Actor, directory: Directory) -> None:
    """Return when the actor may do the whole of it.

    Raises CommandError `not_allowed`, with the right that is missing, for the first place where it is;
    `unknown_group` or `unknown_member` where the command is about nobody. Nothing is done in part.
    """
    if isinstance(command, NightCommand):
        _authorise_night(command, actor, directory)
    else:
        _authorise_login(command, actor, directory)


def _authorise_night(command: NightCommand, actor: Actor, directory: Directory) -> None:
    for group in groups_of(directory, command.group):
        if not (actor.is_owner or _belongs(actor, group)):
            who = f"{actor.name} may not switch the night of group {group.name}"
            raise CommandError("not_allowed", f"{who}; that is for its members and leaders")


def _belongs(actor: Actor, group: Group) -> bool:
    member = group.member(actor.name)
    leads = actor.kind is Kind.USER and actor.name in group.leaders
    return leads or (member is not None and is_own(actor, member))


def _authorise_login(command: LoginCommand, actor: Actor, directory: Directory) -> None:
    right = _RIGHT_FOR[command.verb]
    chosen = places(directory, command.group, command.member)
    if actor.is_owner:
        return
    for place in chosen:
        if not _may(actor, place, right, directory):
            raise CommandError("not_allowed", _missing(actor, place, right, directory))


def _may(actor: Actor, place: Place, right: Right, directory: Directory) -> bool:
    group, member = place
    if is_own(actor, member) or supervises(actor, group):
        return True
    return at_least(level_over(actor, member, directory), NEEDED[right])


def _missing(actor: Actor, place: Place, right: Right, directory: Directory) -> str:
    group, member = place
    has = f"{actor.name} may not {right.value} {member.name} in group {group.name}"
    leader = f"a leader of {group.name} with the service {SUPERVISE}"
    if member.device:
        return f"{has}; that needs {leader}, or the device itself"
    level = level_over(actor, member, directory)
    return f"{has}; that needs the level {NEEDED[right]} over {member.name} (here: {level}), or {leader}"
