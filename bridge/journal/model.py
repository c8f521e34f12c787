"""What the journal consists of: an entry for each call (`CallOver`), one for each change; and what may be asked of it.

A call's entry is the event itself. Times are UTC seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bridge.events import CallOver, Event, LoginChanged, MemberDropped, MissedSeen, OpeningChanged

LAST = 50  # entries, where nothing else is asked for
MOST = 10_000


class Kind(StrEnum):
    """What an entry is about."""

    CALL = "call"
    LOGIN = "login"
    NIGHT = "night"
    DROPPED = "dropped"  # a member who left the configuration
    SEEN = "seen"  # a member has taken note of a group's missed calls
    STARTED = "started"  # the bridge itself
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that is about no call. `what` says it in a word or two, for people."""

    wall: float
    kind: Kind
    group: str | None = None
    member: str | None = None
    what: str = ""
    logged_in: bool = False  # of a login, as `paused`
    paused: bool = False
    by: str | None = None
    origin: str | None = None
    reason: str | None = None
    until: float | None = None

    @property
    def working(self) -> bool:
        """Whether a login's member can be rung as far as the login goes."""
        return self.logged_in and not self.paused


Entry = CallOver | Change


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for; None: whichever. The last ones are, and they come in the order of time.

    `group`, `member`: names. `caller`: in number or name.
    `result`: a word of `CallResult`, or "missed" for whatever was not answered. `calls`, `changes`: either kind.
    `since`, `until`: when an entry, or a call, began; `ended`: a call ended then, or later.
    `viewer`: a member who sees only what happened in `groups`, and what was the viewer's own, or at one of `lines`.
    """

    group: str | None = None
    member: str | None = None
    caller: str | None = None
    result: str | None = None
    call: str | None = None
    since: float | None = None
    until: float | None = None
    ended: float | None = None
    last: int = LAST
    calls: bool = True
    changes: bool = True
    viewer: str | None = None
    groups: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class Past(NamedTuple):
    """What the journal had when it was opened: the last days' calls, and each place's last login and look."""

    calls: list[CallOver]
    latest: list[Change]


def change_of(event: Event) -> Change | None:
    """Return the entry that an event makes, None where it makes none."""
    match event:
        case LoginChanged(wall, group, member, login, cause):
            return Change(
                wall,
                Kind.LOGIN,
                group,
                member,
                what=_login_words(login.logged_in, login.paused),
                logged_in=login.logged_in,
                paused=login.paused,
                by=login.told_by,
                origin=login.told_from.value if login.told_from else None,
                reason=(login.pause_reason if login.paused else login.reason) or cause,
                until=login.pause_until if login.paused else login.until,
            )
        case OpeningChanged(wall, group, is_open, night, by, origin):
            by_hand = night != "hours"
            what = f"{'open' if is_open else 'closed'} by {'hand' if by_hand else 'its hours'}"
            return Change(wall, Kind.NIGHT, group, None, what, by=by, origin=origin)
        case MemberDropped(wall, group, member):
            return Change(wall, Kind.DROPPED, group, member, "no longer a member")
        case MissedSeen(wall, group, member, by, origin):
            return Change(wall, Kind.SEEN, group, member, "has seen the missed calls", by=by, origin=origin)
    return None


def _login_words(logged_in: bool, paused: bool) -> str:
    if not logged_in:
        return "logged out"
    return "paused" if paused else "logged in"
