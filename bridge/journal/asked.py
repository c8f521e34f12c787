"""From what a door asks of the journal to a filter: strict and clear; and who may ask for what."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.calls.over import CallResult
from bridge.commands.eyes import Eyes
from bridge.commands.model import CommandError
from bridge.commands.moments import seconds
from bridge.commands.rights import LEADER_JOURNAL, MEMBER_JOURNAL
from bridge.commands.words import NAME_LENGTH, check_fields, text
from bridge.journal.model import LAST, MOST, Filter

MISSED = "missed"
RESULTS = (*CallResult, MISSED)
KINDS = {"all": (True, True), "calls": (True, False), "logins": (False, True)}
FIELDS = ("group", "member", "caller", "result", "since", "until", "last", "only")
CALLER_LENGTH = 80

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAYS = {"today": 0, "yesterday": 1}


def filter_of(arguments: Mapping[str, Any], wall: float, zone: datetime.tzinfo | None = None) -> Filter:
    """Return the filter that arguments mean; `wall` is UTC seconds. Raises CommandError `bad_request`."""
    check_fields("journal", arguments, FIELDS)
    result = text(arguments, "result", NAME_LENGTH)
    if result is not None and result not in RESULTS:
        raise CommandError("bad_request", f"there is no result {result!r}; results are: {', '.join(RESULTS)}")
    only = text(arguments, "only", NAME_LENGTH) or "all"
    if only not in KINDS:
        raise CommandError("bad_request", f"only is {only!r}; right are {', '.join(KINDS)}")
    calls, changes = KINDS[only]
    return Filter(
        group=text(arguments, "group", NAME_LENGTH),
        member=text(arguments, "member", NAME_LENGTH),
        caller=text(arguments, "caller", CALLER_LENGTH),
        result=result,
        since=_moment(arguments, "since", wall, zone),
        until=_moment(arguments, "until", wall, zone),
        last=_last(arguments.get("last")),
        calls=calls,
        changes=changes,
    )


def _last(value: object) -> int:
    if value is None:
        return LAST
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise CommandError("bad_request", f"last is {str(value)[:20]}; right is a number from 1 to {MOST}")
    return value


def _moment(arguments: Mapping[str, Any], key: str, wall: float, zone: datetime.tzinfo | None) -> float | None:
    written = text(arguments, key, NAME_LENGTH)
    if written is None:
        return None
    try:
        return past_moment(written, wall, zone)
    except ValueError as wrong:
        raise CommandError("bad_request", f"{key}: {wrong}") from None


def past_moment(written: str, wall: float, zone: datetime.tzinfo | None = None) -> float:
    """Return the UTC seconds of "2h" (ago), "14:00" (the last one), "today", "yesterday", or an ISO 8601 date and time.

    Without an offset of its own it is local time; `zone` None: the machine's. Raises ValueError with what is right.
    """
    written = written.strip()
    now = datetime.datetime.fromtimestamp(wall, zone)
    clock = _CLOCK.fullmatch(written)
    try:
        if written in _DAYS:
            return _midnight(now.date() - datetime.timedelta(days=_DAYS[written]), zone)
        if clock:
            at = datetime.time(int(clock[1]), int(clock[2]))
            today = datetime.datetime.combine(now.date(), at, zone).timestamp()
            yesterday = datetime.datetime.combine(now.date() - datetime.timedelta(days=1), at, zone).timestamp()
            return today if today <= wall else yesterday
        if written[-1:] in "dhms" and written[:1].isdigit():
            return wall - seconds(written)
        when = datetime.datetime.fromisoformat(written)
        return (when if when.tzinfo or zone is None else when.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        right = '"2h" (ago), "14:00", "today", "yesterday", "2026-11-23" or "2026-11-23T14:00:00Z"'
        raise ValueError(f"{written!r} is no time; right are {right}") from None


def midnight(wall: float, zone: datetime.tzinfo | None = None) -> float:
    """Return when the local day began that a moment is in."""
    return _midnight(datetime.datetime.fromtimestamp(wall, zone).date(), zone)


def _midnight(day: datetime.date, zone: datetime.tzinfo | None) -> float:
    return datetime.datetime.combine(day, datetime.time(), zone).timestamp()


def narrowed(wanted: Filter, eyes: Eyes) -> Filter:
    """Return the filter with names for numbers, and for who does not see everything with what they do.

    Those see what happened in the groups whose journal they see, and what was their own. Raises CommandError
    `not_allowed`, with the service that is missing.
    """
    directory, viewer = eyes.directory, eyes.viewer
    group = directory.group(wanted.group) if wanted.group else None
    if group is not None:
        wanted = replace(wanted, group=group.name)
    if eyes.all:
        return wanted
    if wanted.group is not None and not eyes.sees_journal(wanted.group):
        need = f"its members see it with the service {MEMBER_JOURNAL}, its leaders with {LEADER_JOURNAL}"
        raise CommandError("not_allowed", f"{viewer.name} may not see the journal of {wanted.group}; {need}")
    groups = tuple(filter(eyes.sees_journal, directory.groups))
    return replace(wanted, viewer=viewer.name, groups=groups, lines=tuple(filter(eyes.is_own, directory.lines)))
