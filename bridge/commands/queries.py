"""The questions that every door may ask, and their answers.

The state of groups, members and lines carries no numbers and is for everybody; the rest shows callers and
contacts and is the owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.commands import views
from bridge.commands.model import Actor, CommandError
from bridge.commands.places import find_group, find_member
from bridge.commands.verbs import COMMANDS, QUERIES
from bridge.commands.views import Picture
from bridge.commands.words import NAME_LENGTH, check_fields, required, text

CALL_LENGTH = 256  # characters of a call's id
ARGUMENTS = {
    "group": ("group",),
    "member": ("group", "member"),
    "opening": ("group",),
    "line": ("line",),
    "explain": ("call",),
}
FOR_EVERYBODY = frozenset({"group", "member", "opening", "line"})


def answer(query: str, arguments: Mapping[str, Any], actor: Actor, picture: Picture) -> dict[str, Any]:
    """Return the data that answers a query (one of `verbs.QUERIES`).

    Raises CommandError: unknown_verb, bad_request, not_allowed, unknown_group, unknown_member, unknown_line,
    unknown_call.
    """
    if query not in QUERIES:
        right = ", ".join(QUERIES + COMMANDS)
        raise CommandError("unknown_verb", f"there is no verb {query[:NAME_LENGTH]!r}; verbs are: {right}")
    check_fields(query, arguments, ARGUMENTS.get(query, ()))
    if not actor.is_owner and query not in FOR_EVERYBODY:
        raise CommandError("not_allowed", f"{query} is for the owner; {actor.name} is not")
    return _answer(query, arguments, picture)


def _answer(query: str, arguments: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    match query:
        case "status":
            return views.status(picture)
        case "groups":
            return views.groups(picture)
        case "group":
            return views.group_state(find_group(picture.directory, required(arguments, "group")), picture)
        case "member":
            return _member(arguments, picture)
        case "opening":
            return views.night_state(find_group(picture.directory, required(arguments, "group")), picture)
        case "lines":
            return views.lines(picture)
        case "line":
            return views.line_state(picture.telephony.line(_line(arguments, picture)))
        case "calls":
            return views.calls(picture)
        case _:
            return _explain(text(arguments, "call", CALL_LENGTH), picture)


def _member(arguments: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    group = find_group(picture.directory, required(arguments, "group"))
    member = find_member(group, required(arguments, "member"))
    return views.member_state(picture.login(group.name, member.name), picture.telephony.line(member.line))


def _line(arguments: Mapping[str, Any], picture: Picture) -> str:
    key = required(arguments, "line")
    line = picture.directory.lines.get(key) or picture.directory.line_by_number.get(key)
    if line is None:
        names = ", ".join(f"{x.name} ({x.number})" for x in list(picture.directory.lines.values())[:20])
        raise CommandError("unknown_line", f"there is no line {key!r}; lines are: {names or 'none'}")
    return line.name


def _explain(call: str | None, picture: Picture) -> dict[str, Any]:
    story = picture.telephony.story(call)
    if story is not None:
        return views.explain(story)
    if call is None:
        raise CommandError("unknown_call", "there has been no call since the bridge started")
    raise CommandError("unknown_call", f"no call {call!r} is remembered; calls lists those that are up")
