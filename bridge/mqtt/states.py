"""What the bridge says of its state: which topics there are, which an event touches, and what each says now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.commands.model import OWNER
from bridge.directory.model import Directory
from bridge.events import Event, GroupCall, LineChanged, LoginChanged, MemberDropped, TrunkChanged
from bridge.mqtt.topics import Topics
from bridge.port.model import Port

TOLD_OF_GROUPS = frozenset({"offered", "answered", "missed", "abandoned", "overflowed", "ended"})
_NOT_FOR_GROUPS = frozenset({"type", "caller", "caller_name"})


@dataclass(frozen=True, slots=True)
class GroupSubject:
    """A group as a whole."""

    group: str


@dataclass(frozen=True, slots=True)
class MemberSubject:
    """A member's login in a group."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class LineSubject:
    """A line."""

    line: str


@dataclass(frozen=True, slots=True)
class InfoSubject:
    """The bridge itself."""


Subject = GroupSubject | MemberSubject | LineSubject | InfoSubject


def everything(directory: Directory) -> Iterator[Subject]:
    """Yield all that has a state."""
    for group in directory.groups.values():
        yield from (MemberSubject(group.name, member.name) for member in group.members)
        yield GroupSubject(group.name)
    yield from (LineSubject(line) for line in directory.lines)
    yield InfoSubject()


def touched(event: Event, directory: Directory) -> Iterator[Subject]:
    """Yield whose state an event may have changed."""
    match event:
        case LoginChanged(group=group, member=member) | MemberDropped(group=group, member=member):
            yield MemberSubject(group, member)
            yield GroupSubject(group)
        case LineChanged(line=line):
            yield LineSubject(line)
            for place, who in directory.groups_by_line.get(line, ()):
                yield MemberSubject(place.name, who.name)
                yield GroupSubject(place.name)
        case GroupCall(group=group):
            yield GroupSubject(group)
        case TrunkChanged():
            yield InfoSubject()


def topic(subject: Subject, topics: Topics) -> str:
    """Return where a state is said."""
    match subject:
        case GroupSubject(group):
            return topics.group_state(group)
        case MemberSubject(group, member):
            return topics.member_state(group, member)
        case LineSubject(line):
            return topics.line_state(line)
        case InfoSubject():
            return topics.bridge_info


def payload(subject: Subject, port: Port) -> Mapping[str, Any] | None:
    """Return what is true of a subject now, None for one that is not in the directory any more."""
    match subject:
        case GroupSubject(group):
            return _answer(port, "group", {"group": group})
        case MemberSubject(group, member):
            return _answer(port, "member", {"group": group, "member": member})
        case LineSubject(line):
            return _answer(port, "line", {"line": line})
        case InfoSubject():
            return _info(port)


def group_event(event: GroupCall) -> dict[str, Any]:
    """Return a step of a group's call as everybody may read it who may read the group: without the caller."""
    body = {key: value for key, value in event.to_json().items() if key not in _NOT_FOR_GROUPS}
    return {"event_type": body.pop("event_type"), **body}


def _answer(port: Port, query: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    reply = port.ask(query, arguments, OWNER)
    return reply.data if reply.ok else None


def _info(port: Port) -> dict[str, Any]:
    status, directory = port.ask("status", {}, OWNER).data, port.directory
    kept = {key: status.get(key) for key in ("version", "site", "started", "trunks")}
    counts = {
        "groups": len(directory.groups),
        "members": sum(len(group.members) for group in directory.groups.values()),
        "lines": len(directory.lines),
        "users": len(directory.users),
    }
    return {**kept, "counts": counts}
