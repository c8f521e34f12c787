"""What a user may see of others, at one glance: favourites, and the members of the groups that the user is in or leads.

Of each the login, the line's state, the calls there with caller, and where it is diverted to; of a group's members as
much of it as the group's `monitor` says. All of it passes the user's `Eyes`: who may not be seen is left out, and calls
and diversions that may not be seen are null.

A site has as many monitors as users, and each shows as many members as there are: what several of them share is made
once, as text. Who sees whom hangs on the directory alone and is kept; what is seen is made anew for every round.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bridge.calls.status import CallStatus
from bridge.commands.control import handling_json
from bridge.commands.eyes import Eyes
from bridge.commands.model import Actor, Kind
from bridge.commands.rights import own_line
from bridge.commands.views import Picture, group_state, line_state
from bridge.directory.model import MONITOR, Directory, Group, User
from bridge.events import login_json

_OF_THE_LOGIN = ("login", "paused", "since", "until")


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody in a monitor: whose line or lines, in which groups the login is shown, and which fields."""

    who: Actor
    line: str
    second: str | None
    groups: tuple[str, ...]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """Whom one user's monitor shows."""

    eyes: Eyes
    favourites: tuple[Shown, ...]
    groups: Mapping[str, tuple[Shown, ...]]


class Sight:
    """Who sees whom in one directory."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._seen: dict[str, Seen] = {}

    def of(self, user: str) -> Seen:
        """Return whom a user sees, and with which eyes."""
        if user not in self._seen:
            eyes = Eyes(Actor(Kind.USER, user), self.directory)
            of = {group.name: group for group in self.directory.groups.values() if _is_of(user, group)}
            groups = {name: tuple(self._members(group, eyes)) for name, group in of.items()}
            self._seen[user] = Seen(eyes, tuple(self._favourites(self.directory.users[user], eyes)), groups)
        return self._seen[user]

    def watching_group(self, group: str) -> tuple[str, ...]:
        """Return the users whose monitors show a group."""
        return self._by_group.get(group, ())

    def watching_line(self, line: str) -> tuple[str, ...]:
        """Return the users whose monitors may show a line, or who it is whose line it is."""
        return self._by_line.get(line, ())

    @cached_property
    def _by_group(self) -> Mapping[str, tuple[str, ...]]:
        groups, users = self.directory.groups, self.directory.users
        return {name: tuple(user for user in users if _is_of(user, group)) for name, group in groups.items()}

    @cached_property
    def _by_line(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for name, group in self.directory.groups.items():
            for member in group.members:
                for line in self._lines(member.name, member.line):
                    found.setdefault(line, {}).update(dict.fromkeys(self._by_group[name]))
        for user in self.directory.users.values():
            for favourite in user.favourites:
                for line in self._lines(favourite, favourite):
                    found.setdefault(line, {})[user.name] = None
        return {line: tuple(users) for line, users in found.items()}

    def _lines(self, name: str, line: str) -> Iterator[str]:
        user = self.directory.users.get(name)
        yield user.line if user else line
        if user and user.second_line:
            yield user.second_line

    def _members(self, group: Group, eyes: Eyes) -> Iterator[Shown]:
        for member in group.members:
            if eyes.sees_member(member):
                user = None if member.device else self.directory.users.get(member.name)
                kind = Kind.DEVICE if member.device else Kind.USER
                second = user.second_line if user else None
                yield Shown(Actor(kind, member.name), member.line, second, (group.name,), group.monitor)

    def _favourites(self, user: User, eyes: Eyes) -> Iterator[Shown]:
        for name in user.favourites:
            found = self.directory.users.get(name)
            who = Actor(Kind.USER if found else Kind.DEVICE, name)
            line = own_line(who, self.directory)
            if line is None or not eyes.sees(who):
                continue
            places = self.directory.groups_by_member.get(name, ())
            groups = tuple(group.name for group, member in places if member.device is (found is None))
            yield Shown(who, line, found.second_line if found else None, groups, MONITOR)


class Round:
    """Makes monitors of one moment."""

    def __init__(self, picture: Picture, sight: Sight) -> None:
        self._picture = picture
        self._sight = sight
        self._texts: dict[tuple[object, ...], str] = {}
        self._states: dict[str, str] = {}
        self._calls: dict[str, list[CallStatus]] = {}
        for call in picture.telephony.calls():
            for line in {*call.lines, *call.rung}:
                self._calls.setdefault(line, []).append(call)

    def text(self, user: str) -> str | None:
        """Return a user's monitor as JSON, None for one who is not in the directory any more."""
        directory = self._sight.directory
        if user not in directory.users:
            return None
        seen = self._sight.of(user)
        favourites = ", ".join(f"{_json(one.who.name)}: {self._favourite(one, seen.eyes)}" for one in seen.favourites)
        groups = ", ".join(f"{_json(name)}: {self._group(name, who, seen.eyes)}" for name, who in seen.groups.items())
        name = _json(directory.shown(user))
        return f'{{"name": {name}, "favourites": {{{favourites}}}, "groups": {{{groups}}}}}'

    def body(self, user: str) -> dict[str, Any]:
        """Return the monitor of a user who is in the directory."""
        made: dict[str, Any] = json.loads(self.text(user) or "{}")
        return made

    def _group(self, name: str, members: tuple[Shown, ...], eyes: Eyes) -> str:
        group = self._sight.directory.groups[name]
        if name not in self._states:
            self._states[name] = f'{{"name": {_json(group.shown)}, "state": {_json(group_state(group, self._picture))}'
        told = ", ".join(f"{_json(one.who.name)}: {self._member(one, eyes)}" for one in members)
        return f'{self._states[name]}, "members": {{{told}}}}}'

    def _member(self, one: Shown, eyes: Eyes) -> str:
        key = ("member", one, self._sight_of(one, eyes))
        if key not in self._texts:
            login = self._login(one.groups[0], one.who.name) if "login" in one.fields else {}
            self._texts[key] = _json({**self._named(one), **login, **self._rest(one, eyes)})
        return self._texts[key]

    def _favourite(self, one: Shown, eyes: Eyes) -> str:
        key = ("favourite", one, self._sight_of(one, eyes))
        if key not in self._texts:
            logins = {group: self._login(group, one.who.name) for group in one.groups}
            self._texts[key] = _json({**self._named(one), "logins": logins, **self._rest(one, eyes)})
        return self._texts[key]

    def _sight_of(self, one: Shown, eyes: Eyes) -> tuple[object, ...]:
        """Return all that makes what one user sees of somebody differ from what others do."""
        lines = (one.line, one.second) if one.second else (one.line,)
        calls = (call.call for line in lines for call in self._calls.get(line, ()) if _numbers(call, eyes))
        return (*(eyes.sees_numbers_at(line) for line in lines), *calls)

    # -- of one who is shown ----------------------------------------------------------------------------------------

    def _named(self, one: Shown) -> dict[str, Any]:
        return {"name": self._sight.directory.shown(one.who.name)}

    def _login(self, group: str, member: str) -> dict[str, Any]:
        login = login_json(self._picture.login(group, member))
        return {key: login[key] for key in _OF_THE_LOGIN}

    def _rest(self, one: Shown, eyes: Eyes) -> dict[str, Any]:
        own = self._line(one.line, one.fields, eyes)
        return {**own, "second": self._line(one.second, one.fields, eyes)} if one.second else own

    def _line(self, line: str, fields: frozenset[str], eyes: Eyes) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "line" in fields:
            state = line_state(self._picture.telephony.line(line))
            found |= {"line": state["state"], "line_since": state["since"]}
        if "caller" in fields:
            found["calls"] = self._calls_at(line, eyes)
        if "diversion" in fields:
            shown = eyes.sees_numbers_at(line)
            found["diversion"] = handling_json(self._picture.handling(line)) if shown else None
        return found

    def _calls_at(self, line: str, eyes: Eyes) -> list[dict[str, Any]] | None:
        shown = [call for call in self._calls.get(line, ()) if _numbers(call, eyes)]
        if not shown and not eyes.sees_numbers_at(line):
            return None
        found = []
        for call in shown:
            body = eyes.call(call) or {}
            body["state"] = "ringing" if line in call.rung else call.state
            found.append({key: body[key] for key in ("call", "state", "caller", "caller_name", "called", "since")})
        return found


def _numbers(call: CallStatus, eyes: Eyes) -> bool:
    return eyes.sees_numbers(call.lines, call.rung, (call.group,))


def _is_of(user: str, group: Group) -> bool:
    member = group.member(user)
    return user in group.leaders or (member is not None and not member.device)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
