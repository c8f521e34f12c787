"""What a user may see of others: `P/user/U/monitor`, redacted by the levels over them. Pure.

It shows the groups that the user is in or leads. Of a member it tells the login and the state of the line to whom
`public` or more is given over that member; of devices, to which no level applies, to everybody in their group.

A site has as many monitors as users, and each shows as many members as there are: what several of them share is made
once, as text. Who sees whom hangs on the directory alone and is kept; what is seen is made anew for every round.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from bridge.commands.model import OWNER, Actor, Kind
from bridge.commands.rights import Right, may, whose
from bridge.directory.model import Directory, Group, Member
from bridge.port.model import Port

_OF_THE_LOGIN = ("login", "paused", "since", "until")


class Sight:
    """Who sees whom in one directory."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._seen: dict[str, Mapping[str, tuple[Member, ...]]] = {}

    def of(self, user: str) -> Mapping[str, tuple[Member, ...]]:
        """Return the members that a user sees, by group."""
        if user not in self._seen:
            actor = Actor(Kind.USER, user)
            groups = (group for group in self.directory.groups.values() if _is_of(user, group))
            self._seen[user] = {group.name: tuple(self._members(group, actor)) for group in groups}
        return self._seen[user]

    def _members(self, group: Group, actor: Actor) -> list[Member]:
        return [member for member in group.members if _may_see(actor, member, self.directory)]


class Round:
    """Makes monitors of one moment, as JSON."""

    def __init__(self, port: Port, sight: Sight) -> None:
        self._port = port
        self._sight = sight
        self._members: dict[tuple[str, str], str] = {}
        self._groups: dict[tuple[str, tuple[Member, ...]], str] = {}

    def text(self, user: str) -> str | None:
        """Return a user's monitor, None for one who is not in the directory any more."""
        directory = self._sight.directory
        if user not in directory.users:
            return None
        seen = self._sight.of(user)
        groups = ", ".join(f"{_json(name)}: {self._group(name, members)}" for name, members in seen.items())
        return f'{{"name": {_json(directory.shown(user))}, "groups": {{{groups}}}}}'

    def _group(self, name: str, members: tuple[Member, ...]) -> str:
        found = self._groups.get((name, members))
        if found is None:
            told = ", ".join(f"{_json(member.name)}: {self._member(name, member)}" for member in members)
            shown = _json(self._sight.directory.groups[name].shown)
            found = self._groups[name, members] = f'{{"name": {shown}, "members": {{{told}}}}}'
        return found

    def _member(self, group: str, member: Member) -> str:
        found = self._members.get((group, member.name))
        if found is None:
            found = self._members[group, member.name] = self._look(group, member)
        return found

    def _look(self, group: str, member: Member) -> str:
        login = self._port.ask("member", {"group": group, "member": member.name}, OWNER).data
        line = self._port.ask("line", {"line": member.line}, OWNER).data
        return _json(
            {
                "name": self._sight.directory.shown(member.name),
                **{key: login.get(key) for key in _OF_THE_LOGIN},
                "line": line.get("state"),
                "line_since": line.get("since"),
            }
        )


def _is_of(user: str, group: Group) -> bool:
    member = group.member(user)
    return user in group.leaders or (member is not None and not member.device)


def _may_see(actor: Actor, member: Member, directory: Directory) -> bool:
    return may(actor, Right.SEE_STATE, whose(member), directory)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
