"""The journal's entries as JSON, and as much of them as somebody may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.calls.over import CallResult
from bridge.calls.status import Visit
from bridge.directory.model import Directory
from bridge.events import CallOver, iso
from bridge.journal.asked import Viewer
from bridge.journal.model import Change, Entry


def entry_json(entry: Entry, directory: Directory, viewer: Viewer | None) -> dict[str, Any]:
    """Return an entry for whoever looks (None: the owner). A caller who is not to be seen is null."""
    if isinstance(entry, Change):
        return _change_json(entry)
    if viewer is None:
        return call_json(entry)
    hidden = not _shows_numbers(entry, directory, viewer)
    return call_json(_cut(entry, viewer), hidden=hidden)


def call_json(call: CallOver, *, hidden: bool = False) -> dict[str, Any]:
    """Return a call's entry; `hidden`: its caller is not to be seen."""
    body = call.to_json()
    del body["type"], body["at"]
    if hidden:
        body["caller"] = body["caller_name"] = None
    visits = [{"group": v.group, "result": v.result, "why": v.why, "wait": v.lasted} for v in call.visits]
    return {"kind": "call", "at": iso(call.began), **body, "ended": iso(call.wall), "visits": visits}


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "at": iso(change.wall),
        "group": change.group,
        "member": change.member,
        "what": change.what,
        "by": change.by,
        "origin": change.origin,
        "reason": change.reason,
        "until": iso(change.until),
    }


def is_own(call: CallOver, viewer: Viewer) -> bool:
    """Whether a call was the viewer's own: made, or taken, or offered at a line of the viewer's."""
    return (
        call.caller_line in viewer.lines
        or call.line in viewer.lines
        or any(part.line in viewer.lines for part in call.parts)
    )


def _shows_numbers(call: CallOver, directory: Directory, viewer: Viewer) -> bool:
    """Whether the caller is shown: always to whose call it was; else not where a private line made or took it."""
    if is_own(call, viewer):
        return True
    lines = (call.caller_line, call.line)
    return not any(line is not None and line.private for line in map(directory.lines.get, filter(None, lines)))


def _cut(call: CallOver, viewer: Viewer) -> CallOver:
    """Return a call without what happened in groups whose journal the viewer does not see."""
    own = is_own(call, viewer)
    visits = tuple(v for v in call.visits if v.group in viewer.groups or own)
    parts = tuple(
        p for p in call.parts if p.group in viewer.groups or p.member == viewer.actor.name or p.line in viewer.lines
    )
    if own or len(visits) == len(call.visits):
        return replace(call, visits=visits, parts=parts)
    if visits and visits[-1] is call.visits[-1]:
        return replace(call, visits=visits, parts=parts)
    last = visits[-1] if visits else Visit(None, 0.0, 0.0, CallResult.OVERFLOWED.value, "")
    return replace(
        call, visits=visits, parts=parts, result=last.result, why=last.why, taken_by=None, line=None, answered=None,
        talk=0.0, wait=last.lasted,
    )  # fmt: skip
