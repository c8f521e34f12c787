"""A small office for tests: three users, a device, two groups; and a telephony that says what a test tells
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.calls.status import CallStatus, LineState, LineStatus, Story, TrunkStatus
from bridge.commands.model import Actor, Kind
from bridge.directory.logins import Login, Logins, Origin
from bridge.directory.model import Directory, Group, Line, Member, User

NOW = 1_795_000_000.0  # UTC seconds: a day in November 2026

ANNA = Actor(Kind.USER, "anna")
BEN = Actor(Kind.USER, "ben")
CARA = Actor(Kind.USER, "cara")
LOBBY = Actor(Kind.DEVICE, "lobby")

IN = Login(True, NOW - 3600, "anna", Origin.BUTTON)


def office(**changes: Any) -> Directory:
    """Return the office; `changes` replace fields of the group `support`."""
    lines = {name: Line(name, number) for name, number in NUMBERS.items()}
    users = {name: User(name, name.title(), name) for name in ("anna", "ben", "cara")}
    lobby = Member("lobby", "lobby", device=True)
    support = Group("support", "Support", "600", (Member("anna", "anna"), Member("ben", "ben"), lobby))
    support = replace(support, leaders=("cara",))
    support = replace(support, **changes)
    sales = Group("sales", "Sales", "601", (Member("ben", "ben"), Member("cara", "cara")))
    return Directory(lines, users, {"support": support, "sales": sales})


NUMBERS = {"anna": "201", "ben": "202", "lobby": "203", "cara": "204"}


def logins(*inside: tuple[str, str]) -> Logins:
    """Return logins in which these (group, member) are in."""
    return Logins([(place, IN) for place in inside])


@dataclass
class ToldTelephony:
    """Says of lines, trunks and calls what it was told."""

    states: dict[str, LineState] = field(default_factory=dict)
    up: list[CallStatus] = field(default_factory=list)
    known_trunks: list[TrunkStatus] = field(default_factory=list)
    stories: dict[str, Story] = field(default_factory=dict)
    ringing_groups: set[str] = field(default_factory=set)
    wrapping: dict[str, float] = field(default_factory=dict)

    def line(self, name: str) -> LineStatus:
        """Return what was told, else idle."""
        return LineStatus(name, self.states.get(name, LineState.IDLE), NOW - 60, (f"sip:{name}@192.0.2.1",))

    def trunks(self) -> Sequence[TrunkStatus]:
        """Return the trunks that were told."""
        return self.known_trunks

    def calls(self) -> Sequence[CallStatus]:
        """Return the calls that were told."""
        return self.up

    def waiting(self, group: str) -> list[float]:
        """Return since when each caller waits."""
        return [c.since for c in self.calls() if c.group == group and c.state in ("hunting", "waiting")]

    def wraps_up(self, member: str) -> float | None:
        """Return until when somebody is in wrap-up."""
        return self.wrapping.get(member)

    def ringing(self, group: str) -> bool:
        """Return whether the group was told to be ringing."""
        return group in self.ringing_groups

    def story(self, call: str | None) -> Story | None:
        """Return a story that was told; the last one for None."""
        if call is None:
            return next(reversed(self.stories.values()), None)
        return self.stories.get(call)
