"""What must fit together among users, groups and their members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bridge.config.draft import Draft, Finding, Table, elements, text, unknown
from bridge.config.problems import Loc
from bridge.config.words import Target, parse_press

_DIALLED = re.compile(r"[0-9*#+]+")


def findings(draft: Draft) -> Iterator[Finding]:
    """Yield every mistake."""
    for section in ("lines", "users", "groups"):
        entries = draft.data.get(section)
        if isinstance(entries, Mapping) and "all" in entries:
            yield (section, "all"), "'all' means everybody or every group; choose another name"
    for name, user in draft.users.items():
        yield from _user(draft, name, user)
    for name, group in draft.groups.items():
        yield from _members(draft, name, group)
        yield from _leaders(draft, name, group)
        yield from _onward(draft, name, ("groups", name), group, ("overflow", "closed"))
        yield from _queue(draft, name, group)
        yield from _buttons(draft, name, group)
    yield from _circles(draft)
    yield from _logins(draft)


def _user(draft: Draft, name: str, user: Table) -> Iterator[Finding]:
    here = ("users", name)
    line = text(user, "line")
    if line is not None:
        yield from _known_line(draft, (*here, "line"), line)
        owner = draft.user_of_line[line]
        if owner != name:
            yield (*here, "line"), f"{line!r} is the line of users.{owner} too; a line is one user's own"
    second = text(user, "second_line")
    if second is not None:
        yield from _known_line(draft, (*here, "second_line"), second)
        if second == line:
            yield (*here, "second_line"), f"{second!r} is the first line already; give another, or leave it out"
    for index, favourite in enumerate(elements(user, "favourites")):
        if isinstance(favourite, str) and favourite not in (*draft.users, *draft.lines):
            yield (*here, "favourites", index), unknown("user or line", favourite, (*draft.users, *draft.lines))
        elif isinstance(favourite, str) and favourite not in draft.users and favourite in draft.user_of_line:
            owner = draft.user_of_line[favourite]
            right = f"line {favourite!r} is the one of user {owner!r}; name the user instead"
            yield (*here, "favourites", index), right
    grants = user.get("grants")
    for other in grants if isinstance(grants, Mapping) else ():
        if other not in draft.users:
            yield (*here, "grants", other), unknown("user", other, draft.users)
    for index, additional in enumerate(elements(user, "additional_lines")):
        if isinstance(additional, str):
            yield from _known_line(draft, (*here, "additional_lines", index), additional)


def _logins(draft: Draft) -> Iterator[Finding]:
    """Yield logins of this machine that would be two users."""
    first: dict[str, str] = {}
    for name, user in draft.users.items():
        login = text(user, "unix")
        if login is not None and first.setdefault(login, name) != name:
            wrong = f"{login!r} is the login of users.{first[login]} too; a login acts in one user's name"
            yield ("users", name, "unix"), wrong


def _known_line(draft: Draft, loc: Loc, line: str) -> Iterator[Finding]:
    if line not in draft.lines:
        yield loc, unknown("line", line, draft.lines)


def _members(draft: Draft, group: str, table: Table) -> Iterator[Finding]:
    here = ("groups", group, "members")
    for index, member in enumerate(elements(table, "members")):
        if isinstance(member, Mapping) and ("user" in member) == ("line" in member):
            yield (*here, index), "names nobody, or two; give either user or line"
        if isinstance(member, Mapping) and member.get("login") == "always" and member.get("schedule"):
            yield (*here, index, "schedule"), 'cannot be kept by who is always in; leave it out, or login = "always"'
    seen: set[str] = set()
    for index, key, name in draft.members(group):
        yield from _member(draft, (*here, index), key, name)
        if name in seen:
            yield (*here, index), f"{name!r} is in the group twice; leave one out"
        seen.add(name)


def _member(draft: Draft, loc: Loc, key: str, name: str) -> Iterator[Finding]:
    if key != "line" and name in draft.users:
        return
    if key == "user":
        yield (*loc, key), unknown("user", name, draft.users)
    elif name not in draft.lines:
        what = "line" if key else "user or line"
        yield (*loc, key) if key else loc, unknown(what, name, (*(() if key else draft.users), *draft.lines))
    elif "modem" in draft.lines[name]:
        yield (*loc, key) if key else loc, f"line {name!r} is an analogue one that a modem hears; it cannot be rung"
    elif name in draft.user_of_line:
        user = draft.user_of_line[name]
        yield (*loc, key) if key else loc, f"line {name!r} is the one of user {user!r}; name the user instead"


def _leaders(draft: Draft, group: str, table: Table) -> Iterator[Finding]:
    for index, name in enumerate(elements(table, "leaders")):
        if isinstance(name, str) and name not in draft.users:
            yield ("groups", group, "leaders", index), unknown("user", name, draft.users)


def _onward(draft: Draft, group: str, here: Loc, table: Table, keys: tuple[str, ...]) -> Iterator[Finding]:
    for key in keys:
        target = text(table, key)
        if target is None:
            continue
        if draft.group(target) == group:
            yield (*here, key), f"{target!r} is the group itself; name another group, or a number"
        elif not draft.group(target) and target not in draft.numbers and not _DIALLED.fullmatch(target):
            yield (*here, key), unknown("group or number", target, (*draft.groups, *draft.numbers))


def _queue(draft: Draft, group: str, table: Table) -> Iterator[Finding]:
    """Check what fits together in a queue; the section of a group that is none yet is looked at when it becomes one."""
    queue = table.get("queue")
    here = ("groups", group, "queue")
    if not isinstance(queue, Mapping) or table.get("strategy") != "queue":
        return
    yield from _onward(draft, group, here, queue, ("exit_to",))
    if "exit_key" in queue and "exit_to" not in queue and "overflow" not in table:
        yield (*here, "exit_key"), "leads nowhere; give exit_to, or an overflow to the group"
    if "exit_to" in queue and "exit_key" not in queue:
        yield (*here, "exit_to"), "is never reached; give exit_key, the key that leads there"
    if "order" in queue and "order" in table and queue["order"] != table["order"]:
        yield (*here, "order"), f"says {queue['order']!r} and the group {table['order']!r}; leave one out"


def _buttons(draft: Draft, group: str, table: Table) -> Iterator[Finding]:
    for index, words in enumerate(elements(table, "buttons")):
        if isinstance(words, str):
            loc = ("groups", group, "buttons", index)
            try:
                parsed = parse_press(words)
            except ValueError as error:
                yield loc, str(error)
                continue
            if parsed.kind in (Target.GROUP, Target.GROUP_OR_ALL):
                yield from known_group(draft, loc, parsed.target or "", parsed.kind)


def known_group(draft: Draft, loc: Loc, target: str, kind: Target) -> Iterator[Finding]:
    """Yield that there is no such group, if so."""
    if draft.group(target) is None and not (kind is Target.GROUP_OR_ALL and target == "all"):
        yield loc, unknown("group", target, draft.groups)


def _circles(draft: Draft) -> Iterator[Finding]:
    """Yield overflows from group to group that come back to where they began; once for each circle."""
    told: set[str] = set()
    for start in draft.groups:
        path = [start]
        while (target := text(draft.groups[path[-1]], "overflow")) is not None:
            following = draft.group(target)
            if following is None or following in told:
                break
            if following in path:
                circle = path[path.index(following) :]
                if len(circle) > 1:
                    way = " -> ".join([*circle, following])
                    yield ("groups", circle[-1], "overflow"), f"goes round in a circle ({way}); leave one out"
                told.update(circle)
                break
            path.append(following)
