"""What a user may see of others: `P/user/U/monitor`, redacted by the levels over them. Pure.

It shows the groups that the user is in or leads. Of a member it tells the login and the state of the line to whom
`public` or more is given over that member; of devices, to which no level applies, to everybody in their group.
"""

from __future__ import annotations

from typing import Any

from bridge.commands.model import OWNER, Actor, Kind
from bridge.commands.rights import at_least, is_own, level_over
from bridge.directory.model import Directory, Group, Level, Member
from bridge.port.model import Port

_OF_THE_LOGIN = ("login", "paused", "since", "until")


class Monitors:
    """Makes monitors of one moment; what several users see is asked of the port once."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._seen: dict[tuple[str, str], dict[str, Any]] = {}

    def of(self, user: str) -> dict[str, Any] | None:
        """Return a user's monitor, None for one who is not in the directory any more."""
        directory = self._port.directory
        if user not in directory.users:
            return None
        actor = Actor(Kind.USER, user)
        groups = {group.name: self._group(group, actor) for group in directory.groups.values() if _is_of(user, group)}
        return {"name": directory.shown(user), "groups": groups}

    def _group(self, group: Group, actor: Actor) -> dict[str, Any]:
        seen = [member for member in group.members if _may_see(actor, member, self._port.directory)]
        return {"name": group.shown, "members": {member.name: self._member(group, member) for member in seen}}

    def _member(self, group: Group, member: Member) -> dict[str, Any]:
        key = (group.name, member.name)
        if key not in self._seen:
            self._seen[key] = self._look(group, member)
        return self._seen[key]

    def _look(self, group: Group, member: Member) -> dict[str, Any]:
        login = self._port.ask("member", {"group": group.name, "member": member.name}, OWNER).data
        line = self._port.ask("line", {"line": member.line}, OWNER).data
        return {
            "name": self._port.directory.shown(member.name),
            **{key: login[key] for key in _OF_THE_LOGIN},
            "line": line["state"],
            "line_since": line["since"],
        }


def _is_of(user: str, group: Group) -> bool:
    member = group.member(user)
    return user in group.leaders or (member is not None and not member.device)


def _may_see(actor: Actor, member: Member, directory: Directory) -> bool:
    return is_own(actor, member) or member.device or at_least(level_over(actor, member, directory), Level.PUBLIC)
