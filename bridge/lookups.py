"""Answers whose matter lies on the disk: the journal, its statistics, a call's story.

The same functions answer while the agent runs, on the store's thread, and without it, from the file alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from bridge.calls.status import Telephony
from bridge.commands import views
from bridge.commands.eyes import Eyes
from bridge.commands.model import Actor, CommandError
from bridge.commands.places import find_group
from bridge.commands.words import check_fields, text
from bridge.directory.model import Directory
from bridge.events import CallOver, iso
from bridge.journal.asked import filter_of, midnight, narrowed, past_moment
from bridge.journal.model import MOST, Filter
from bridge.journal.shown import entry_json, sees_whole
from bridge.journal.statistics import WITHIN, GroupCount, count, statistics_json
from bridge.journaling import Journaling
from bridge.store import journalfile
from bridge.store.errors import StoreError
from bridge.store.journalfile import Connection

CALL_LENGTH = 256  # characters of a call's id
HOUR = 3600.0
T = TypeVar("T")


class Lookups:
    """Answers for the port. `wall` gives UTC seconds."""

    def __init__(
        self,
        journaling: Journaling,
        directory: Callable[[], Directory],
        telephony: Callable[[], Telephony],
        wall: Callable[[], float],
    ) -> None:
        self._journaling = journaling
        self._directory = directory
        self._telephony = telephony
        self._wall = wall

    async def __call__(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """Return the data that answers one of `verbs.LOOKUPS`. Raises CommandError."""
        eyes = Eyes(actor, self._directory())
        if query == "journal":
            wanted = narrowed(filter_of(arguments, self._wall()), eyes)
            return await self._read(lambda connection: entries(connection, wanted, eyes))
        if query == "statistics":
            asked = Spans.of(arguments, self._wall())
            groups = asked.groups(eyes)
            calls = self._telephony().calls()
            waiting = {name: sum(c.group == name and c.state == "hunting" for c in calls) for name in groups}
            return await self._read(lambda connection: statistics(connection, asked, groups, waiting))
        return await self._explain(arguments, eyes)

    async def _explain(self, arguments: Mapping[str, Any], eyes: Eyes) -> dict[str, Any]:
        check_fields("explain", arguments, ("call",))
        wanted = text(arguments, "call", CALL_LENGTH)
        live = self._telephony().story(wanted)
        if live is not None and live.result is None:
            if not eyes.all:
                raise CommandError("not_allowed", "a call's story is told once it is over; only the owner looks on")
            return views.explain(live)
        if live is not None and wanted is not None:
            wanted = live.status.call  # a Call-ID names the call as well
        return await self._read(partial(story, call=wanted, eyes=eyes))

    async def _read(self, look: Callable[[Connection], T]) -> T:
        try:
            return await self._journaling.read(look)
        except StoreError as error:
            raise CommandError("store_failed", f"the journal cannot be read: {error}") from None


def entries(connection: Connection, wanted: Filter, eyes: Eyes) -> dict[str, Any]:
    """Return the entries that are wanted."""
    return {"entries": [entry_json(each, eyes) for each in journalfile.read(connection, wanted)]}


def story(connection: Connection, call: str | None, eyes: Eyes) -> dict[str, Any]:
    """Return a call's story. Raises CommandError `unknown_call`, `not_allowed`."""
    found = journalfile.story(connection, narrowed(Filter(call=call), eyes))
    if found is None and call is None:
        raise CommandError("unknown_call", "the journal has no call yet")
    if found is None:
        raise CommandError("unknown_call", f"no call {call!r} is in the journal; journal lists those that are")
    if not sees_whole(found, eyes):
        raise CommandError("not_allowed", f"{eyes.viewer.name} may not see all of call {found.call}, so not its story")
    body = entry_json(found, eyes)
    steps = [{"at": round(s.at, 3), "member": s.member, "what": s.what, "why": s.why} for s in found.steps]
    return {"call": {**body, **_as_status(found, body)}, "result": found.why, "steps": steps}


def _as_status(found: CallOver, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `explain` says of a call that is up, of one that is over."""
    return {
        "state": "ended",
        "group": found.groups[-1] if found.groups else None,
        "since": iso(found.began),
        "ringing": [],
        "answered_by": body["taken_by"],
        "answered_at": body["answered"],
    }


class Spans:
    """The stretches of time that statistics are asked of: today and the last hour, or one from `since`."""

    def __init__(self, spans: Mapping[str, tuple[float, float]], group: str | None, within: float) -> None:
        self.spans = spans
        self.group = group
        self.within = within

    @classmethod
    def of(cls, arguments: Mapping[str, Any], wall: float) -> Spans:
        """Read arguments: group, since, until, within. Raises CommandError `bad_request`."""
        check_fields("statistics", arguments, ("group", "since", "until", "within"))
        group = text(arguments, "group", 64)
        within = arguments.get("within", WITHIN)
        if isinstance(within, bool) or not isinstance(within, int | float) or not 0 < within <= HOUR:
            raise CommandError("bad_request", f"within is {str(within)[:20]}; right are seconds up to {HOUR:g}")
        written = {key: text(arguments, key, 64) for key in ("since", "until")}
        try:
            times = {key: past_moment(value, wall) for key, value in written.items() if value}
        except ValueError as wrong:
            raise CommandError("bad_request", str(wrong)) from None
        if not times:
            return cls({"today": (midnight(wall), wall), "hour": (wall - HOUR, wall)}, group, float(within))
        since, until = times.get("since", midnight(wall)), min(times.get("until", wall), wall)
        if since >= until:
            raise CommandError("bad_request", "since is not before until, or not before now")
        return cls({"span": (since, until)}, group, float(within))

    def groups(self, eyes: Eyes) -> list[str]:
        """Return which groups they are of: those whose journal is seen. Raises CommandError `not_allowed`."""
        if self.group is None:
            return list(filter(eyes.sees_journal, eyes.directory.groups))
        group = find_group(eyes.directory, self.group)
        narrowed(Filter(group=group.name), eyes)
        return [group.name]


def statistics(
    connection: Connection, asked: Spans, groups: list[str] | None, waiting: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return the counts; `groups` None: all that the journal tells of."""
    spans: dict[str, tuple[float, float, Mapping[str, GroupCount]]] = {}
    for name, (since, until) in asked.spans.items():
        calls = journalfile.calls(connection, Filter(group=asked.group, ended=since, until=until, last=MOST * 10))
        before = journalfile.latest(connection, since)
        changes = journalfile.changes(connection, Filter(since=since, until=until, last=MOST * 10))
        spans[name] = since, until, count(calls, before, changes, since, until, asked.within)
    if groups is None:
        groups = sorted({group for _, _, counts in spans.values() for group in counts})
        groups = [group for group in groups if asked.group in (None, group)]
    return statistics_json(spans, groups, asked.within, waiting)
