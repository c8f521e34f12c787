"""The journal's entries as JSON, and as much of them as somebody may see (`commands.eyes` says what that is)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.calls.over import CallResult
from bridge.commands.eyes import Eyes
from bridge.events import CallOver, iso
from bridge.journal.model import Change, Entry


def entry_json(entry: Entry, eyes: Eyes) -> dict[str, Any]:
    """Return an entry for whoever looks. A caller who is not to be seen is null."""
    if isinstance(entry, Change):
        return _change_json(entry)
    if eyes.all:
        return _call_json(entry)
    body = _call_json(_cut(entry, eyes))
    if not eyes.sees_numbers((entry.caller_line, entry.line), _rung(entry), entry.groups):
        body |= {"caller": None, "caller_name": None}
    return body


def is_own(call: CallOver, eyes: Eyes) -> bool:
    """Whether a call was the viewer's own: made, or taken, or offered at a line of the viewer's."""
    return any(map(eyes.is_own, (call.caller_line, call.line, *_rung(call))))


def sees_whole(call: CallOver, eyes: Eyes) -> bool:
    """Whether all of a call is seen, its steps too: what happened in every group that it came to, and its numbers."""
    groups = bool(call.groups) and all(map(eyes.sees_journal, call.groups))
    numbers = eyes.sees_numbers((call.caller_line, call.line), _rung(call), call.groups)
    return eyes.all or is_own(call, eyes) or (groups and numbers)


def _rung(call: CallOver) -> list[str]:
    return [part.line for part in call.parts if part.line is not None]


def _call_json(call: CallOver) -> dict[str, Any]:
    body = call.to_json()
    del body["type"], body["at"]
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


def _cut(call: CallOver, eyes: Eyes) -> CallOver:
    """Return a call without what happened in groups whose journal is not seen."""
    if is_own(call, eyes):
        return replace(call, parts=tuple(filter(eyes.sees_part, call.parts)))
    visits = tuple(visit for visit in call.visits if eyes.sees_journal(visit.group))
    parts = tuple(part for part in call.parts if eyes.sees_journal(part.group))
    if visits and visits[-1] is call.visits[-1]:
        return replace(call, visits=visits, parts=parts)
    lasted, result, why = (visits[-1].lasted, visits[-1].result, visits[-1].why) if visits else (0.0, _ELSEWHERE, "")
    elsewhere = replace(call, visits=visits, parts=parts, result=result, why=why, wait=lasted, talk=0.0)
    return replace(elsewhere, taken_by=None, line=None, answered=None)


_ELSEWHERE = CallResult.OVERFLOWED.value
