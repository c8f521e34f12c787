"""Who lets offers go unanswered, and is to be paused for it (`auto_pause`).

Counted for each member of a group from the offers that rang for as long as they were to: none that a colleague took,
none of a caller who gave up, none to a phone that cannot be reached. Whoever answers, or does anything about the own
login, begins anew. The counts do not survive a restart, and need not.
"""

from __future__ import annotations

from collections import Counter

from bridge.commands.model import LoginCommand, LoginVerb
from bridge.directory.model import Directory
from bridge.events import Event, LoginChanged, MemberDropped, OfferEnded
from bridge.hunting.model import Outcome

_BEGINS_ANEW = frozenset({Outcome.ANSWERED.value, Outcome.BUSY.value, Outcome.DECLINED.value})
"""Somebody is there, or has said so with the phone."""


class Unanswered:
    """Counts unanswered offers in a row."""

    def __init__(self) -> None:
        self._count: Counter[tuple[str, str]] = Counter()

    def take(self, event: Event, directory: Directory) -> LoginCommand | None:
        """Take note of an event; return the pause that it leads to."""
        match event:
            case LoginChanged(group=group, member=member) | MemberDropped(group=group, member=member):
                self._count.pop((group, member), None)
            case OfferEnded(group=group, member=member, outcome=outcome) if outcome in _BEGINS_ANEW:
                self._count.pop((group, member), None)
            case OfferEnded(group=group, member=member, outcome=Outcome.NO_ANSWER.value):
                self._count[group, member] += 1
                return self._pause(group, member, directory)
        return None

    def _pause(self, name: str, member: str, directory: Directory) -> LoginCommand | None:
        group = directory.groups.get(name)
        count = self._count[name, member]
        if group is None or group.auto_pause is None or count < group.auto_pause:
            return None
        calls = "1 call" if count == 1 else f"{count} calls"
        return LoginCommand(
            LoginVerb.PAUSE, name, member, for_seconds=group.auto_pause_seconds, reason=f"{calls} not answered"
        )
