"""The directory's values: lines, users, devices, groups and their members.

All of them are frozen: a new configuration is a new `Directory`. Names are `[a-z0-9_-]{1,32}`; a member's name
is its user's name or, for a device (a line without a user), its line's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from bridge.directory.codes import Codes
from bridge.directory.hours import Hours
from bridge.directory.outside import OutsideRules


class Level(StrEnum):
    """Authorisation levels, each containing the ones before."""

    NONE = "none"
    PUBLIC = "public"
    BUSINESS = "business"
    TEAM = "team"
    PERSONAL = "personal"


MONITOR = frozenset({"login", "line", "caller", "diversion"})
"""All that a monitor can show of a member."""


class Strategy(StrEnum):
    """How a hunt group rings its members."""

    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    QUEUE = "queue"


class Order(StrEnum):
    """In which order the members of a sequential group or a queue are rung; tiers go before it."""

    LISTED = "listed"
    ROUND_ROBIN = "round-robin"
    LONGEST_IDLE = "longest-idle"
    FEWEST_CALLS = "fewest-calls"
    RANDOM = "random"


class MediaWay(StrEnum):
    """How the media of a line or trunk flow: from phone to phone, through the bridge, or as it has to be."""

    AUTO = "auto"
    DIRECT = "direct"
    RELAY = "relay"


class LastOut(StrEnum):
    """What happens when the last logged-in member of a group logs out."""

    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Line:
    """A number that can be rung: behind a trunk, attached by registering, or at a static contact."""

    name: str
    number: str
    trunk: str | None = None
    dial: str | None = None  # what to dial at the trunk; None: the number
    contact: str | None = None  # SIP URI of a static contact
    registers: bool = False  # its phone registers at the bridge
    modem: str | None = None  # an analogue line, which cannot be rung: the device of the modem that tells who calls
    max_calls: int = 1
    private: bool = False
    shown: str | None = None  # what a device is shown as
    address: str = ""  # its SIP address, which a device without a name is shown as
    dial_out: tuple[str, ...] = ()  # the trunks through which it calls outside, the best first
    dial_out_allow: tuple[str, ...] = ()  # prefixes that it may call though the site refuses them
    dial_out_daily: int | None = None  # calls a day; None: as many as the site says
    media: MediaWay = MediaWay.AUTO  # of a line behind a trunk: the trunk's, unless it has its own
    confirm: bool = False  # whoever answers there has to press 1


@dataclass(frozen=True, slots=True)
class User:
    """A person with a line, and lines whose control was granted; `grants`: whom else what level over this person."""

    name: str
    shown: str
    line: str
    second_line: str | None = None
    additional_lines: tuple[str, ...] = ()
    grants: tuple[tuple[str, Level], ...] = ()
    favourites: tuple[str, ...] = ()  # users, and lines without a user
    unix: str | None = None  # the login on this machine that acts in this user's name
    spoken_name: str | None = None  # a WAV file: how the spoken menu calls this user


@dataclass(frozen=True, slots=True)
class Member:
    """A user's or device's place in one group."""

    name: str
    line: str
    device: bool = False
    tier: int = 0
    always: bool = False  # login = "always": static, in from the start
    restart: str = "default"  # "keep", "reset" or "keep-if-younger-than <n>h"
    schedule: Hours | None = None  # in during these hours, out beside them


@dataclass(frozen=True, slots=True)
class Queue:
    """How the callers of a group with the strategy `queue` wait. Times are seconds.

    `music` and `greeting` are names of sounds or paths of WAV files; None: silence, no greeting.
    """

    ring_all: bool = False
    music: str | None = "default"
    greeting: str | None = None
    announce: float | None = None  # between announcements; None: none is made
    announce_position: bool = True
    announce_wait: bool = True
    wrap_up: float = 0.0
    max_waiting: int | None = None
    max_wait: float | None = None
    join_empty: bool = False  # whether callers may come where nobody can be rung
    leave_empty: bool = True  # whether they go on once nobody can be rung any more
    exit_key: str | None = None
    exit_to: str | None = None  # None: the overflow
    keep_place: float = 0.0  # who hangs up and calls again within this time gets the place back
    no_answer_delay: float = 10.0
    busy_delay: float = 15.0
    decline_delay: float = 30.0


@dataclass(frozen=True, slots=True)
class Group:
    """A group; with a number and a strategy it is a hunt group. Times are seconds."""

    name: str
    shown: str
    number: str | None
    members: tuple[Member, ...]
    leaders: tuple[str, ...] = ()
    member_level: Level = Level.PUBLIC
    leader_level: Level = Level.PUBLIC
    services: frozenset[str] = frozenset({"supervise"})
    active: bool = True
    monitor: frozenset[str] = MONITOR  # what its members' monitors show of one another, where they may see it
    strategy: Strategy = Strategy.PARALLEL
    ring_seconds: float = 15.0
    give_up_after: float = 120.0
    retry_after: float = 5.0
    rounds: int | None = None
    max_calls: int | None = None
    overflow: str | None = None  # a group's name or any number
    prefix: str = ""
    last_out: LastOut = LastOut.WARN
    hours: Hours | None = None  # None: always open
    closed: str | None = None  # where callers go beside the hours; None: to the overflow
    auto_pause: int | None = None  # unanswered offers in a row after which a member is paused
    auto_pause_seconds: float = 300.0
    follow_diversion: bool = False  # a member's 302 is followed
    order: Order = Order.LISTED
    queue: Queue = Queue()

    def member(self, name: str) -> Member | None:
        """Return the member called `name`, or None."""
        return next((m for m in self.members if m.name == name), None)


@dataclass(frozen=True)
class Directory:
    """Everything that can be named, by name. `site_level` is what everybody has over everybody."""

    lines: Mapping[str, Line] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    site_level: Level = Level.PUBLIC
    codes: Codes = Codes()
    menu: str | None = None  # the number of the spoken menu
    outside: OutsideRules = OutsideRules()

    @cached_property
    def line_by_number(self) -> Mapping[str, Line]:
        """Lines by their number."""
        return {line.number: line for line in self.lines.values()}

    @cached_property
    def group_by_number(self) -> Mapping[str, Group]:
        """Hunt groups by their number."""
        return {g.number: g for g in self.groups.values() if g.number is not None}

    @cached_property
    def groups_by_line(self) -> Mapping[str, tuple[tuple[Group, Member], ...]]:
        """For each line, the places in groups that ring it."""
        found: dict[str, list[tuple[Group, Member]]] = {}
        for group in self.groups.values():
            for member in group.members:
                found.setdefault(member.line, []).append((group, member))
        return {line: tuple(places) for line, places in found.items()}

    @cached_property
    def users_by_line(self) -> Mapping[str, tuple[tuple[User, bool], ...]]:
        """For each line, the users who have it, and whether it is their second one."""
        found: dict[str, list[tuple[User, bool]]] = {}
        for user in self.users.values():
            found.setdefault(user.line, []).append((user, False))
            if user.second_line is not None:
                found.setdefault(user.second_line, []).append((user, True))
        return {line: tuple(users) for line, users in found.items()}

    @cached_property
    def groups_by_member(self) -> Mapping[str, tuple[tuple[Group, Member], ...]]:
        """For each member's name, the places in groups; a user's and a device's of the same name are together."""
        found: dict[str, list[tuple[Group, Member]]] = {}
        for group in self.groups.values():
            for member in group.members:
                found.setdefault(member.name, []).append((group, member))
        return {name: tuple(places) for name, places in found.items()}

    def user_of_login(self, login: str) -> str | None:
        """Return the user in whose name a login of this machine acts, or None."""
        return next((user.name for user in self.users.values() if user.unix == login), None)

    def group(self, key: str) -> Group | None:
        """Return the group with this name or number, or None."""
        return self.groups.get(key) or self.group_by_number.get(key)

    def shown(self, member: str) -> str:
        """Return the name to show for a member: the user's, else the device's, else the device's SIP address.

        An address has a number in it: where that is nobody's business, the name in the configuration stands for it.
        """
        user = self.users.get(member)
        if user is not None:
            return user.shown
        line = self.lines.get(member)
        if line is None:
            return member
        return line.shown or (not line.private and line.address) or member
