"""What the bridge says of its state: which topics there are, which an event touches, and what each says now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.commands.model import OWNER
from bridge.commands.monitor import Sight
from bridge.directory.model import Directory
from bridge.events import (
    CallerWaits,
    Event,
    GroupCall,
    HandlingChanged,
    LineChanged,
    LoginChanged,
    MemberDropped,
    MissedChanged,
    OpeningChanged,
    TrunkChanged,
    WrapUp,
)
from bridge.mqtt.topics import (
    GroupSubject,
    InfoSubject,
    LineSubject,
    MemberSubject,
    MissedSubject,
    MonitorSubject,
    NightSubject,
    Subject,
)
from bridge.port.model import Port

TOLD_OF_GROUPS = frozenset({"offered", "answered", "missed", "abandoned", "overflowed", "ended"})
_NOT_FOR_GROUPS = frozenset({"type", "caller", "caller_name"})


Public = GroupSubject | MemberSubject | NightSubject | MissedSubject | LineSubject | InfoSubject
"""What is said of to everybody alike; a monitor is one user's."""


def everything(directory: Directory) -> Iterator[Public]:
    """Yield all that has a state, monitors aside."""
    for group in directory.groups.values():
        yield from (MemberSubject(group.name, member.name) for member in group.members)
        yield GroupSubject(group.name)
        yield NightSubject(group.name)
        yield MissedSubject(group.name)
    yield from (LineSubject(line) for line in directory.lines)
    yield InfoSubject()


def monitors(directory: Directory) -> Iterator[MonitorSubject]:
    """Yield every user's monitor."""
    yield from map(MonitorSubject, directory.users)


def watching(subject: Subject, sight: Sight) -> Iterator[MonitorSubject]:
    """Yield the monitors that show a group, member or line."""
    match subject:
        case GroupSubject(group):
            yield from map(MonitorSubject, sight.watching_group(group))
        case MemberSubject(group, member):
            found = sight.directory.groups.get(group)
            place = found.member(member) if found else None
            yield from map(MonitorSubject, sight.watching_line(place.line) if place else sight.watching_group(group))
        case LineSubject(line):
            yield from map(MonitorSubject, sight.watching_line(line))


def touched(event: Event, directory: Directory) -> Iterator[Public]:
    """Yield whose state an event may have changed, monitors aside."""
    match event:
        case (
            LoginChanged(group=group, member=member)
            | MemberDropped(group=group, member=member)
            | WrapUp(group=group, member=member)
        ):
            yield MemberSubject(group, member)
            yield GroupSubject(group)
        case LineChanged(line=line):
            yield LineSubject(line)
            for place, who in directory.groups_by_line.get(line, ()):
                yield MemberSubject(place.name, who.name)
                yield GroupSubject(place.name)
        case HandlingChanged(line=line):
            yield LineSubject(line)
        case OpeningChanged(group=group):
            yield NightSubject(group)
            yield GroupSubject(group)
        case GroupCall(group=group) | CallerWaits(group=group):
            yield GroupSubject(group)
        case MissedChanged(group=group):
            yield MissedSubject(group)
        case TrunkChanged():
            yield InfoSubject()


def payload(subject: Public, port: Port) -> Mapping[str, Any] | None:
    """Return what is true of a subject now, None for one that is not in the directory any more."""
    match subject:
        case GroupSubject(group):
            return _answer(port, "group", {"group": group})
        case MemberSubject(group, member):
            return _answer(port, "member", {"group": group, "member": member})
        case NightSubject(group):
            return _answer(port, "opening", {"group": group})
        case MissedSubject(group):
            return _missed(port, group)
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


def _missed(port: Port, group: str) -> dict[str, Any] | None:
    found = port.directory.groups.get(group)
    if found is None:
        return None
    return {"missed": {member.name: port.missed(group, member.name) for member in found.members}}


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
