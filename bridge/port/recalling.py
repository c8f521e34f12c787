"""What the journal tells the port at the start, so that a restart forgets none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bridge.calls.status import CallStatus
from bridge.commands.tally import Tally
from bridge.directory.logins import Login
from bridge.directory.model import Directory
from bridge.events import CallOver
from bridge.journal.asked import midnight
from bridge.journal.model import Change, Kind


def recall_counts(tally: Tally, calls: Iterable[CallOver], up: Iterable[CallStatus], wall: float) -> None:
    """Count what was answered and abandoned today, before the start; also the talks that were taken up again."""
    since = midnight(wall)
    for call in calls:
        for visit in call.visits:
            at = call.began + visit.at + visit.lasted
            if visit.group is not None and since <= at <= wall:
                tally.recall(visit.group, visit.result, at)
    for talk in up:
        if talk.group is not None and talk.answered_at is not None and since <= talk.answered_at <= wall:
            tally.recall(talk.group, "answered", talk.answered_at)


def presence_changes(
    directory: Directory, login: Callable[[str, str], Login], latest: Iterable[Change], wall: float
) -> Iterator[Change]:
    """Yield an entry for every place whose login is not as the journal's last entry says: static members' too."""
    last = {(c.group, c.member): (c.logged_in, c.paused) for c in latest if c.kind is not Kind.SEEN}
    for group in directory.groups.values():
        for member in group.members:
            found = login(group.name, member.name)
            now = (found.logged_in or member.always, found.paused)
            if now != last.get((group.name, member.name), (False, False)):
                what = "paused" if now == (True, True) else "logged in" if now[0] else "logged out"
                yield Change(wall, Kind.LOGIN, group.name, member.name, what, *now, reason="as it was at the start")
