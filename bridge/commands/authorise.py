"""The first stage of the command path: may this actor do this?

A group's night switch is for who belongs to the group: its members, devices too, and its leaders.
"""

from __future__ import annotations

from bridge.commands.control import authorise_line
from bridge.commands.model import Actor, Command, CommandError, Kind, LineCommand, LoginCommand, LoginVerb, NightCommand
from bridge.commands.places import groups_of, places
from bridge.commands.rights import Right, is_own, require, whose
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
    elif isinstance(command, LineCommand):
        authorise_line(command, actor, directory)
    else:
        _authorise_login(command, actor, directory)


def _authorise_night(command: NightCommand, actor: Actor, directory: Directory) -> None:
    for group in groups_of(directory, command.group):
        if not (actor.is_owner or _is_of(actor, group)):
            who = f"{actor.name} may not switch the night of group {group.name}"
            raise CommandError("not_allowed", f"{who}; that is for its members and leaders")


def _is_of(actor: Actor, group: Group) -> bool:
    member = group.member(actor.name)
    is_leader = actor.kind is Kind.USER and actor.name in group.leaders
    return is_leader or (member is not None and is_own(actor, member))


def _authorise_login(command: LoginCommand, actor: Actor, directory: Directory) -> None:
    right = _RIGHT_FOR[command.verb]
    for group, member in places(directory, command.group, command.member):
        require(actor, right, whose(member), directory, group)
