"""A clerk who keeps the logins of a small office by the book, on paper time: what the login rules come to.

    clerk = Clerk(office(...))
    clerk.do("08:00 button anna login support anna for 2h")
    clerk.do("10:00")
    clerk.says("anna")      # "out, by bridge"

A step is a time of day ("mon" in front or another day of the week of 23 November 2026), and what happens then: a door,
who uses it, and the command in the words of the command line; `restart`, `restart after MINUTES`; `always MEMBER`, a
new configuration; `clock wrong` or `clock right`; or nothing.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from bridge.commands.authorise import authorise
from bridge.commands.decide import Decision, decide
from bridge.commands.leases import passed
from bridge.commands.model import OWNER, Actor, CommandError, Kind, LoginCommand
from bridge.commands.restart import at_reload, at_start
from bridge.commands.verbs import parse
from bridge.directory.hours import DAYS
from bridge.directory.instant import Instant
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory

UTC = datetime.UTC
MONDAY = datetime.datetime(2026, 11, 23, tzinfo=UTC)
MADE_UP = 1000 * 86400.0  # seconds by which a clock that is not right is behind


class Clerk:
    """Keeps the logins of group `support`. The clock is right until it is told to be wrong."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.logins = Logins()
        self.wall = MONDAY.timestamp()
        self.right = True
        self.refusal: str | None = None  # the code of the last refusal
        self.warned: tuple[str, ...] = ()
        self._began = self.wall
        self._began_right = True

    @property
    def now(self) -> Instant:
        """The moment, as the machine's clocks tell it."""
        shown = self.wall if self.right else self.wall - MADE_UP
        epoch = self._began if self._began_right else self._began - MADE_UP
        return Instant(self.wall - self._began, shown, self.right, epoch)

    def do(self, step: str) -> None:
        """Let it be a time, and do what happens then."""
        words = step.split()
        if words[0] in DAYS:
            day = MONDAY + datetime.timedelta(days=DAYS.index(words.pop(0)))
        else:
            day = datetime.datetime.fromtimestamp(self.wall, UTC).replace(hour=0, minute=0, second=0)
        clock = datetime.time.fromisoformat(words.pop(0))
        self.wait_until(day.replace(hour=clock.hour, minute=clock.minute).timestamp())
        self.refusal, self.warned = None, ()
        match words:
            case []:
                return
            case ["restart"]:
                self.restart()
            case ["restart", "after", minutes]:
                self.restart(after=60.0 * int(minutes))
            case ["always", member]:
                self.reload(with_member(self.directory, member, always=True))
            case ["clock", state]:
                self.right = state == "right"
                self.pass_time()
            case [door, who, *command]:
                self._command(Origin(door), who, command)

    def wait_until(self, wall: float) -> None:
        """Let time pass in steps of a minute, as a bridge that is awake would."""
        assert wall >= self.wall, "time goes one way"
        while self.wall < wall:
            self.wall = min(self.wall + 60.0, wall)
            self.pass_time()

    def restart(self, *, after: float = 0.0) -> None:
        """End, let time pass meanwhile, and start again."""
        self.wall += after
        self._began, self._began_right = self.wall, self.right
        start = at_start(self.directory, self.logins, self.now)
        for place in start.dropped:
            self.logins.drop(*place)
        self.logins.apply(start.changes)

    def reload(self, directory: Directory) -> None:
        """Take up another configuration."""
        start = at_reload(directory, self.logins, self.now)
        for place in start.dropped:
            self.logins.drop(*place)
        self.logins.apply(start.changes)
        self.directory = directory

    def submit(self, command: LoginCommand, actor: Actor, origin: Origin) -> Decision:
        """Do a command, once it is authorised. Raises CommandError."""
        authorise(command, actor, self.directory)
        decision = decide(command, actor, origin, self.directory, self.logins, self.now)
        self.logins.apply(c for c in decision.changes if isinstance(c, LoginChange))
        return decision

    def _command(self, origin: Origin, who: str, words: list[str]) -> None:
        verb, group, member, *rest = words
        arguments = {"group": group, "member": member, **dict(zip(rest[::2], rest[1::2], strict=True))}
        try:
            command = parse(verb, arguments, self.now.wall, zone=UTC)
            assert isinstance(command, LoginCommand)
            self.warned = self.submit(command, self._actor(who), origin).warnings
        except CommandError as refused:
            self.refusal = refused.code

    def _actor(self, who: str) -> Actor:
        if who == "owner":
            return OWNER
        return Actor(Kind.USER if who in self.directory.users else Kind.DEVICE, who)

    def pass_time(self) -> None:
        """Do what time has changed."""
        self.logins.apply(passed(self.directory, self.logins, self.now))

    # -- what it says -------------------------------------------------------------------------------------------------

    def login(self, member: str) -> Login:
        """Return a member's login in support."""
        return self.logins.get("support", member)

    def says(self, member: str) -> str:
        """Return "in, by anna, until 14:00, paused until 12:05": all that a rule may be about."""
        login = self.login(member)
        said = "in" if login.logged_in else "out"
        said += f", by {login.by}" if login.by else ""
        said += f", until {self._clock(login.until)}" if login.until is not None else ""
        if login.paused:
            said += ", paused"
            said += f" until {self._clock(login.pause_until)}" if login.pause_until is not None else ""
            said += f" ({login.pause_reason})" if login.pause_reason else ""
        return said

    def _clock(self, until: float) -> str:
        shift = 0.0 if self.right else MADE_UP
        return f"{datetime.datetime.fromtimestamp(until + shift, UTC):%H:%M}"


def with_member(directory: Directory, name: str, **changes: Any) -> Directory:
    """Return a directory in which a member of support is otherwise."""
    support = directory.groups["support"]
    members = tuple(replace(m, **changes) if m.name == name else m for m in support.members)
    return replace(directory, groups={**directory.groups, "support": replace(support, members=members)})
