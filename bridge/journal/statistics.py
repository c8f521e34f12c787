"""What is counted of a stretch of time, for each group and each member: from entries alone, so from the disk too.

A call counts in each group that it came to, by what its visit there came to. It is *answered* or *abandoned* (the
caller gave up), it *overflowed*, or it was *lost*: nobody took it. The service level is the share of all of them that
was answered within `within` seconds. A member's occupancy is the share of the time of being logged in and not paused
that was spent talking to the group's callers; a group's is that of all its members together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.calls.over import CallResult
from bridge.calls.status import Part, Visit
from bridge.events import CallOver, iso
from bridge.hunting.model import Outcome
from bridge.journal.model import Change, Kind

WITHIN = 20.0  # seconds
_OFFERED = frozenset(Outcome)


@dataclass(slots=True)
class MemberCount:
    """One member in one group. Seconds, unless it says otherwise."""

    offered: int = 0
    answered: int = 0
    no_answer: int = 0
    declined: int = 0
    talk: float = 0.0
    present: float = 0.0  # logged in and not paused

    @property
    def occupancy(self) -> float | None:
        """From 0 to 1; None where the member was not there."""
        return min(1.0, self.talk / self.present) if self.present > 0 else None


@dataclass(slots=True)
class GroupCount:
    """One group. Seconds, unless it says otherwise."""

    calls: int = 0
    answered: int = 0
    abandoned: int = 0
    overflowed: int = 0
    lost: int = 0
    in_time: int = 0
    wait: float = 0.0  # of those who were answered, in all
    longest_wait: float = 0.0  # of anybody
    talk: float = 0.0
    members: dict[str, MemberCount] = field(default_factory=dict)

    def member(self, name: str) -> MemberCount:
        """Return what is counted of a member."""
        return self.members.setdefault(name, MemberCount())

    @property
    def service_level(self) -> float | None:
        """From 0 to 1; None where nobody called."""
        return self.in_time / self.calls if self.calls else None

    @property
    def occupancy(self) -> float | None:
        """From 0 to 1; None where nobody was there."""
        present = sum(member.present for member in self.members.values())
        return min(1.0, sum(member.talk for member in self.members.values()) / present) if present > 0 else None


_FIELDS = {CallResult.ANSWERED: "answered", CallResult.ABANDONED: "abandoned", CallResult.OVERFLOWED: "overflowed"}
_REFUSED = CallResult.REFUSED.value


def count(
    calls: Iterable[CallOver],
    before: Iterable[Change],
    changes: Iterable[Change],
    since: float,
    until: float,
    within: float = WITHIN,
) -> dict[str, GroupCount]:
    """Count what began from `since` until `until`, UTC seconds.

    `before`: each place's login as it was at `since`; `changes`: those from then on, in order. A talk counts for the
    part of it that lies in between.
    """
    found: dict[str, GroupCount] = {}
    for call in calls:
        for visit in call.visits:
            if visit.group is not None and visit.result != _REFUSED:
                _count_visit(found.setdefault(visit.group, GroupCount()), call, visit, since, until, within)
        for part in call.parts:
            if part.group is not None and part.outcome in _OFFERED and since <= call.began + part.at < until:
                _count_part(found.setdefault(part.group, GroupCount()).member(part.member), part)
    for (group, member), seconds in presence(before, changes, since, until).items():
        found.setdefault(group, GroupCount()).member(member).present = seconds
    return found


def _count_visit(group: GroupCount, call: CallOver, visit: Visit, since: float, until: float, within: float) -> None:
    answered = visit.result == CallResult.ANSWERED
    if answered and call.taken_by is not None and call.answered is not None:
        talk = max(0.0, min(call.wall, until) - max(call.wall - call.talk, since))
        group.talk += talk
        group.member(call.taken_by).talk += talk
    if not since <= call.began + visit.at < until:
        return
    group.calls += 1
    group.longest_wait = max(group.longest_wait, visit.lasted)
    name = _FIELDS.get(CallResult(visit.result), "lost") if visit.result in set(CallResult) else "lost"
    setattr(group, name, getattr(group, name) + 1)
    if answered:
        group.wait += visit.lasted
        group.in_time += visit.lasted <= within


def _count_part(member: MemberCount, part: Part) -> None:
    member.offered += 1
    member.answered += part.outcome == Outcome.ANSWERED
    member.no_answer += part.outcome == Outcome.NO_ANSWER
    member.declined += part.outcome == Outcome.DECLINED


def presence(
    before: Iterable[Change], changes: Iterable[Change], since: float, until: float
) -> dict[tuple[str, str], float]:
    """Return for how many seconds each place was logged in and not paused."""
    here: dict[tuple[str, str], float] = {}
    found: dict[tuple[str, str], float] = {}
    for change in before:
        if change.kind is not Kind.SEEN and change.working:
            here[_place(change)] = since
    for change in changes:
        if change.kind not in (Kind.LOGIN, Kind.DROPPED):
            continue
        place, at = _place(change), min(max(change.wall, since), until)
        if place in here:
            found[place] = found.get(place, 0.0) + at - here.pop(place)
        if change.working:
            here[place] = at
    for place, at in here.items():
        found[place] = found.get(place, 0.0) + until - at
    return found


def _place(change: Change) -> tuple[str, str]:
    return change.group or "", change.member or ""


# -- as JSON ------------------------------------------------------------------------------------------------------


def group_json(group: GroupCount) -> dict[str, Any]:
    """Return a group's counts; means and shares are null where there is nothing to tell them from."""
    return {
        "calls": group.calls,
        "answered": group.answered,
        "abandoned": group.abandoned,
        "overflowed": group.overflowed,
        "lost": group.lost,
        "mean_wait": _mean(group.wait, group.answered),
        "longest_wait": round(group.longest_wait, 1),
        "mean_talk": _mean(group.talk, group.answered),
        "service_level": _share(group.service_level),
        "occupancy": _share(group.occupancy),
    }


def member_json(member: MemberCount) -> dict[str, Any]:
    """Return a member's counts."""
    return {
        "offered": member.offered,
        "answered": member.answered,
        "no_answer": member.no_answer,
        "declined": member.declined,
        "mean_talk": _mean(member.talk, member.answered),
        "present": round(member.present),
        "occupancy": _share(member.occupancy),
    }


def statistics_json(
    spans: Mapping[str, tuple[float, float, Mapping[str, GroupCount]]],
    groups: Sequence[str],
    within: float,
    waiting: Mapping[str, int] | None,
) -> dict[str, Any]:
    """Return the counts of spans of time ("today", "hour"), by group; `waiting`: who waits now, None: not known."""
    body: dict[str, Any] = {"within": within, "groups": {}}
    for name in groups:
        every: dict[str, Any] = {}
        for span, (since, until, counts) in spans.items():
            group = counts.get(name, GroupCount())
            members = {member: member_json(one) for member, one in group.members.items()}
            every[span] = {"since": iso(since), "until": iso(until), **group_json(group), "members": members}
        body["groups"][name] = {"waiting": None if waiting is None else waiting.get(name, 0), **every}
    return body


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 1) if count else None


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
