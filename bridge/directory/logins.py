"""Who is logged in where: one frozen `Login` per (group, member), replaced whole by confirmed changes.

`Logins` holds only what has been written to the store (decide, commit, *apply*, tell): whoever reads it reads the
confirmed truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """The door that a command came through."""

    BUTTON = "button"
    PANEL = "panel"
    MQTT = "mqtt"
    CONTROL = "control"
    PHONE = "phone"
    SCHEDULE = "schedule"
    BRIDGE = "bridge"  # the bridge itself: start-up, configuration, a lease that ended


@dataclass(frozen=True, slots=True)
class Login:
    """One member's login in one group. Times are UTC, seconds since the epoch.

    A login or logout with an `until` is a lease; `back` is what it stands in front of, and returns when it ends.
    What was made while the clock was not right has its times on the steady scale of `Instant`: `unsure` says so of
    `since`; `lasts` and `pause_lasts`, seconds, say so of `until` and `pause_until`, and how long they are in all.
    """

    logged_in: bool = False
    since: float = 0.0
    by: str | None = None  # actor's name
    origin: Origin | None = None
    reason: str | None = None
    until: float | None = None  # end of a lease
    paused: bool = False
    pause_reason: str | None = None
    pause_until: float | None = None
    permanent: bool = False  # a device whose login was made through a door other than its phone
    back: Login | None = None
    lasts: float | None = None
    pause_lasts: float | None = None
    unsure: bool = False
    pause_by: str | None = None
    pause_origin: Origin | None = None
    acted: float | None = None  # when it was last asked for, where that is not `since`; 0: a schedule may change it

    @property
    def told_by(self) -> str | None:
        """Who has made it so: the pause, of who is paused."""
        return self.pause_by if self.paused else self.by

    @property
    def told_from(self) -> Origin | None:
        """From which door: the pause's, of who is paused."""
        return self.pause_origin if self.paused else self.origin

    @property
    def latest(self) -> float:
        """When somebody, or a schedule, last said that it shall be so."""
        return self.since if self.acted is None else self.acted


OUT = Login()


@dataclass(frozen=True, slots=True)
class LoginChange:
    """A decided change of one login; to be committed, then applied. `cause`: what but a command has made it."""

    group: str
    member: str
    before: Login
    after: Login
    cause: str | None = None


class Logins:
    """The confirmed logins."""

    def __init__(self, entries: Iterable[tuple[tuple[str, str], Login]] = ()) -> None:
        self._by_place: dict[tuple[str, str], Login] = dict(entries)

    def get(self, group: str, member: str) -> Login:
        """Return the login of a member in a group; logged out where none was ever made."""
        return self._by_place.get((group, member), OUT)

    def apply(self, changes: Iterable[LoginChange]) -> None:
        """Take over changes that are committed."""
        for change in changes:
            self._by_place[change.group, change.member] = change.after

    def copy(self) -> Logins:
        """Return a draft to decide further commands on."""
        return Logins(self._by_place.items())

    def drop(self, group: str, member: str) -> None:
        """Forget a member who has left the configuration."""
        self._by_place.pop((group, member), None)

    def __iter__(self) -> Iterator[tuple[tuple[str, str], Login]]:
        return iter(self._by_place.items())
