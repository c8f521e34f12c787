"""The questions that every door may ask, and their answers.

What is answered is what the asker may see (`eyes`): a list leaves out what is hidden, a question about one thing that
may not be seen is refused. The stories of calls are the owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.commands import views
from bridge.commands.effective import LISTED_AT_MOST, rights
from bridge.commands.eyes import Eyes
from bridge.commands.model import Actor, CommandError, Kind
from bridge.commands.monitor import Round, Sight
from bridge.commands.places import find_group, find_member
from bridge.commands.rights import Right, require, require_at, whose
from bridge.commands.verbs import COMMANDS, LOOKUPS, QUERIES
from bridge.commands.views import Picture
from bridge.commands.words import NAME_LENGTH, check_fields, required, text
from bridge.directory.model import Group, Level

CALL_LENGTH = 256  # characters of a call's id
ARGUMENTS = {
    "group": ("group",),
    "member": ("group", "member"),
    "opening": ("group",),
    "line": ("line",),
    "explain": ("call",),
    "rights": ("viewer", "target"),
    "monitor": ("user",),
}
FOR_THE_OWNER = frozenset({"explain"})


def answer(query: str, arguments: Mapping[str, Any], actor: Actor, picture: Picture) -> dict[str, Any]:
    """Return the data that answers a query (one of `verbs.QUERIES`).

    Raises CommandError: unknown_verb, bad_request, not_allowed, unknown_group, unknown_member, unknown_line,
    unknown_call.
    """
    if query not in QUERIES:
        right = ", ".join(dict.fromkeys(QUERIES + LOOKUPS + COMMANDS))
        raise CommandError("unknown_verb", f"there is no verb {query[:NAME_LENGTH]!r}; verbs are: {right}")
    check_fields(query, arguments, ARGUMENTS.get(query, ()))
    if not actor.is_owner and query in FOR_THE_OWNER:
        raise CommandError("not_allowed", f"{query} is for the owner; {actor.name} is not")
    return _answer(query, arguments, Eyes(actor, picture.directory), picture)


def _answer(query: str, arguments: Mapping[str, Any], eyes: Eyes, picture: Picture) -> dict[str, Any]:
    match query:
        case "status":
            return views.status(picture, eyes)
        case "groups":
            return views.groups(picture, eyes)
        case "group":
            return views.group_state(_group(arguments, eyes), picture)
        case "member":
            return _member(arguments, eyes, picture)
        case "opening":
            return views.night_state(_group(arguments, eyes), picture)
        case "lines":
            return views.lines(picture, eyes)
        case "line":
            return views.line_state(picture.telephony.line(_line(arguments, eyes)))
        case "calls":
            return views.calls(picture, eyes)
        case "monitor":
            return _monitor(arguments, eyes, picture)
        case "rights":
            return _rights(arguments, eyes)
        case _:
            return _explain(text(arguments, "call", CALL_LENGTH), picture)


def _monitor(arguments: Mapping[str, Any], eyes: Eyes, picture: Picture) -> dict[str, Any]:
    user = text(arguments, "user", NAME_LENGTH) or eyes.viewer.name
    if user not in eyes.directory.users:
        raise CommandError("unknown_member", f"there is no user {user!r}; right is one who is configured")
    if not (eyes.all or eyes.viewer == Actor(Kind.USER, user)):
        wrong = f"{eyes.viewer.name} may not see what {user} sees"
        raise CommandError("not_allowed", f"{wrong}; right is one's own monitor")
    return Round(picture, Sight(eyes.directory)).body(user)


def _rights(arguments: Mapping[str, Any], eyes: Eyes) -> dict[str, Any]:
    viewer = text(arguments, "viewer", NAME_LENGTH) or eyes.viewer.name
    return rights(viewer, text(arguments, "target", NAME_LENGTH), eyes.viewer, eyes.directory)


def _group(arguments: Mapping[str, Any], eyes: Eyes) -> Group:
    group = find_group(eyes.directory, required(arguments, "group"))
    if not eyes.sees_group(group):
        text = f"{eyes.viewer.name} may not see group {group.name}; that is for its members and leaders"
        raise CommandError("not_allowed", f"{text}, or a site-wide level of {Level.PUBLIC}")
    return group


def _member(arguments: Mapping[str, Any], eyes: Eyes, picture: Picture) -> dict[str, Any]:
    group = find_group(picture.directory, required(arguments, "group"))
    member = find_member(group, required(arguments, "member"))
    require(eyes.viewer, Right.SEE_STATE, whose(member), eyes.directory)
    return views.member_state(
        picture.login(group.name, member.name),
        picture.telephony.line(member.line),
        picture.telephony.wraps_up(member.name),
    )


def _line(arguments: Mapping[str, Any], eyes: Eyes) -> str:
    key = required(arguments, "line")
    lines = eyes.directory.lines
    line = lines.get(key) or eyes.directory.line_by_number.get(key)
    if line is None:
        seen = [each for each in lines.values() if eyes.sees_line(each.name)][:LISTED_AT_MOST]
        names = ", ".join(f"{x.name} ({x.number})" if eyes.sees_number_of(x) else x.name for x in seen)
        raise CommandError("unknown_line", f"there is no line {key!r}; lines are: {names or 'none'}")
    require_at(eyes.viewer, Right.SEE_STATE, line.name, eyes.directory)
    return line.name


def _explain(call: str | None, picture: Picture) -> dict[str, Any]:
    story = picture.telephony.story(call)
    if story is not None:
        return views.explain(story)
    if call is None:
        raise CommandError("unknown_call", "there has been no call since the bridge started")
    raise CommandError("unknown_call", f"no call {call!r} is remembered; calls lists those that are up")
