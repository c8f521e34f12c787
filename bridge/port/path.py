"""The command path: authorise, decide, commit, apply, tell; and what time does goes the same way.

A commit takes as long as the disk takes. The commands that come in meanwhile wait, and are then decided together, in
their order, on one draft, so that each sees what the ones before it have changed; one commit writes them all. When it
fails, none of them has happened: decisions that were made on the draft would be decisions on what never was.

Each batch begins with what time has changed until now (`leases`). One timer wakes the path for what time changes next;
while nothing is due and nobody asks, nothing runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.calls.ordered.orders import Answer, Order
from bridge.calls.status import CallStatus
from bridge.commands import last_out, leases
from bridge.commands.authorise import authorise
from bridge.commands.control import Seen, decide_line, handling_json
from bridge.commands.decide import Decision, decide
from bridge.commands.model import (
    Actor,
    Command,
    CommandError,
    LineCommand,
    LoginCommand,
    LoginVerb,
    NightCommand,
    Reply,
    group_of,
    member_of,
    verb_of,
)
from bridge.commands.night import decide_night
from bridge.commands.restart import Start, at_reload
from bridge.directory.confirmed import Change, Confirmed
from bridge.directory.handling import Handling, HandlingChange
from bridge.directory.instant import Instant
from bridge.directory.logins import Login, LoginChange, Origin
from bridge.directory.model import Directory, Group
from bridge.directory.nights import NightState, Opening, opening
from bridge.events import (
    CommandRefused,
    Event,
    HandlingChanged,
    LoginChanged,
    MemberDropped,
    MemberReady,
    Notice,
    OpeningChanged,
)
from bridge.store.errors import StoreError

WAITING_AT_MOST = 1000  # commands; more than any household of doors asks for while a disk hesitates
TRY_AGAIN = 10.0  # seconds until what time has changed is written again, where the store has failed
_READY = frozenset({LoginVerb.LOGIN, LoginVerb.UNPAUSE})
_AT_ONCE = 0.001  # seconds; a timer may be a little early


class Keeper(Protocol):
    """What is needed of the store; all of it may raise StoreError."""

    async def open(self) -> Sequence[Notice]:
        """Open the store; return what a person should know about that."""

    async def load(self) -> Sequence[tuple[tuple[str, str], Login]]:
        """Return all logins."""

    async def nights(self) -> Sequence[tuple[str, NightState]]:
        """Return all night switches."""

    async def handlings(self) -> Sequence[tuple[str, Handling]]:
        """Return all lines' handling of calls."""

    async def commit(self, changes: Sequence[Change], dropped: Sequence[tuple[str, str]] = ()) -> None:
        """Write changes and forget places, all or none, durably."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command on its way, and the promise of its reply."""

    command: Command
    actor: Actor
    origin: Origin
    reply: asyncio.Future[Reply]


class CommandPath:
    """Takes commands, and does them one batch after the other.

    `now` tells the moment, `calls` those that are up; `carry` has the exchange carry an order out, which is answered
    then or later.
    """

    def __init__(
        self,
        directory: Directory,
        confirmed: Confirmed,
        keeper: Keeper,
        publish: Callable[[Event], None],
        now: Callable[[], Instant],
        calls: Callable[[], Sequence[CallStatus]],
        carry: Callable[[Order, Answer], None],
    ) -> None:
        self.directory = directory
        self._confirmed = confirmed
        self._keeper = keeper
        self._publish = publish
        self._now = now
        self._calls = calls
        self._carry = carry
        self._waiting: list[Asked] = []
        self._new: tuple[Directory, Callable[[], None], asyncio.Future[None]] | None = None
        self._open: dict[str, bool] = {}  # by group, as last told
        self._failing = False  # whether what time has changed could not be written
        self._wake = asyncio.Event()
        self._closed = False

    def take(self, asked: Asked) -> None:
        """Queue a command, or refuse it at once when there is nobody to do it."""
        if self._closed:
            self._refuse(asked, CommandError("unavailable", "the bridge is ending"))
        elif len(self._waiting) >= WAITING_AT_MOST:
            self._refuse(asked, CommandError("unavailable", "too many commands are waiting; try again in a moment"))
        else:
            self._waiting.append(asked)
            self._wake.set()

    def take_over(self, directory: Directory, others: Callable[[], None]) -> asyncio.Future[None]:
        """Go by another directory from the next batch on; the future is set then, or gets a StoreError.

        `others` lets all else go by it, before anybody is told of anything.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._new is not None:
            self._new[2].cancel()
        self._new = directory, others, done
        self._wake.set()
        return done

    def wake(self) -> None:
        """Look at the clock again: it was set, or is right now."""
        self._wake.set()

    def close(self) -> None:
        """Take no more commands; `run` ends when those that wait are done."""
        self._closed = True
        self._wake.set()

    def opening(self, group: Group) -> Opening:
        """Return whether a group takes calls, and why."""
        return opening(group, self._confirmed.nights.get(group.name), self._now())

    async def run(self) -> None:
        """Do commands, and what time does, until closed. A bug ends it, with every command answered."""
        batch: list[Asked] = []
        try:
            self._tell_openings(quietly=True)
            while self._waiting or not self._closed:
                await self._take_new()
                batch, self._waiting = self._waiting, []
                await self._do(batch)
                if not self._waiting and not self._closed:
                    await self._sleep()
        finally:
            self._closed = True
            for asked in batch + self._waiting:
                _answer(asked, Reply(code="unavailable", message="the bridge ended before this was confirmed"))

    async def _sleep(self) -> None:
        """Wait until something is asked or due."""
        self._wake.clear()
        delay = self._delay()
        timer = None if delay is None else asyncio.get_running_loop().call_later(delay, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _delay(self) -> float | None:
        """Return in how many seconds time changes something next."""
        if self._failing:
            return TRY_AGAIN
        now = self._now()
        turns = [opening(g, self._confirmed.nights.get(g.name), now).turns for g in self.directory.groups.values()]
        due = [now.monotonic + turn - now.wall for turn in turns if turn is not None]
        first = leases.deadline(self.directory, self._confirmed.logins, now)
        if first is not None:
            due.append(first)
        return max(_AT_ONCE, min(due) - now.monotonic) if due else None

    # -- a batch ------------------------------------------------------------------------------------------------------

    async def _do(self, batch: Sequence[Asked]) -> None:
        draft, now = self._confirmed.copy(), self._now()
        passed = leases.passed(self.directory, draft.logins, now)
        emptied = last_out.emptied(self.directory.groups.values(), passed, draft.logins)
        draft.apply(passed)
        self._failing = self._failing and bool(passed)
        decisions = [self._decide(asked, draft, now) for asked in batch]
        decided = [c for d in decisions if isinstance(d, Decision) for c in d.changes]
        if passed or decided:
            try:
                await self._keeper.commit([*passed, *decided])
            except StoreError as error:
                failed = CommandError("store_failed", f"nothing was changed, because it cannot be kept: {error}")
                decisions = [failed] * len(batch)
                self._cannot_keep(passed, error)
                passed, emptied = (), []
            else:
                self._failing = False
                self._confirmed.apply([*passed, *decided])
        self._tell_changes(passed, last_out.warnings(emptied))
        for asked, decision in zip(batch, decisions, strict=True):
            self._tell(asked, decision)
        self._tell_openings()

    def _decide(self, asked: Asked, draft: Confirmed, now: Instant) -> Decision | CommandError:
        command, actor, origin = asked.command, asked.actor, asked.origin
        try:
            authorise(command, actor, self.directory)
            if isinstance(command, NightCommand):
                decision = decide_night(command, actor, origin, self.directory, draft.nights, now)
            elif isinstance(command, LineCommand):
                seen = Seen(self._calls, draft.logins)
                decision = decide_line(command, actor, origin, self.directory, draft.handlings, now, seen)
            else:
                decision = decide(command, actor, origin, self.directory, draft.logins, now)
        except CommandError as refused:
            return refused
        draft.apply(decision.changes)
        return decision

    async def _take_new(self) -> None:
        """Go by the new directory, if there is one."""
        if self._new is None:
            return
        (directory, others, done), self._new = self._new, None
        start = at_reload(directory, self._confirmed.logins, self._now())
        try:
            if start.changes or start.dropped:
                await self._keeper.commit(start.changes, start.dropped)
        except StoreError as error:
            done.set_exception(error)
            return
        self.directory = directory
        others()
        self.apply(start)
        self._tell_openings()
        done.set_result(None)

    # -- telling ------------------------------------------------------------------------------------------------------

    def apply(self, start: Start) -> None:
        """Take over what a start or a new configuration has changed, and tell it."""
        for place in start.dropped:
            self._confirmed.logins.drop(*place)
        self._confirmed.apply(start.changes)
        for place in start.dropped:
            self._publish(MemberDropped(self._now().wall, *place))
        self._tell_changes(start.changes, ())

    def _tell(self, asked: Asked, decision: Decision | CommandError) -> None:
        if isinstance(decision, CommandError):
            self._refuse(asked, decision)
            return
        if decision.order is not None:
            self._carry(decision.order, lambda reply: self._carried(asked, reply))
            return
        _answer(asked, Reply(dict(decision.data)))
        self._tell_changes(decision.changes, decision.warnings)
        if isinstance(asked.command, LoginCommand) and asked.command.verb in _READY:
            self._tell_ready(decision.data.get("unchanged", ()))

    def _tell_ready(self, unchanged: Iterable[Mapping[str, Any]]) -> None:
        """Tell who is logged in already and wants calls all the same: that ends a wrap-up."""
        for place in unchanged:
            if place["login"] == "ON" and not place["paused"]:
                self._publish(MemberReady(self._now().wall, place["group"], place["member"]))

    def _carried(self, asked: Asked, reply: Reply) -> None:
        """Take the exchange's answer to an order."""
        if reply.code is None:
            _answer(asked, reply)
        else:
            self._refuse(asked, CommandError(reply.code, reply.message))

    def _tell_changes(self, changes: Sequence[Change], warnings: Sequence[str]) -> None:
        wall = self._now().wall
        for change in changes:
            if isinstance(change, LoginChange):
                self._publish(LoginChanged(wall, change.group, change.member, change.after, change.cause))
            elif isinstance(change, HandlingChange):
                self._publish(HandlingChanged(wall, change.line, handling_json(change.after), *_who(change.after)))
            else:
                self._tell_opening(self.directory.groups[change.group])
        for warning in warnings:
            self._publish(Notice(wall, "last_out", warning))

    def _tell_openings(self, *, quietly: bool = False) -> None:
        """Tell which groups are open or closed now and were not before."""
        for group in self.directory.groups.values():
            is_open = self.opening(group).open
            if quietly:
                self._open[group.name] = is_open
            elif is_open is not self._open.get(group.name):
                self._tell_opening(group)

    def _tell_opening(self, group: Group) -> None:
        found = self.opening(group)
        self._open[group.name] = found.open
        switch = found.switch
        self._publish(OpeningChanged(self._now().wall, group.name, found.open, switch.night, switch.by, switch.origin))

    def _cannot_keep(self, passed: Sequence[LoginChange], error: StoreError) -> None:
        """Note that what time has changed is not kept, and so has not happened yet."""
        if passed and not self._failing:
            self._failing = True
            text = f"a lease, pause or schedule cannot end or begin, because it cannot be kept: {error}"
            self._publish(Notice(self._now().wall, "store", text))

    def _refuse(self, asked: Asked, why: CommandError) -> None:
        _answer(asked, Reply.refused(why))
        command, actor = asked.command, asked.actor
        place = (group_of(command), member_of(command))
        wall, verb = self._now().wall, verb_of(command)
        self._publish(CommandRefused(wall, verb, *place, asked.origin, actor.name, why.code, why.message))


def _who(handling: Handling) -> tuple[str | None, str | None]:
    return handling.by, handling.origin.value if handling.origin else None


def _answer(asked: Asked, reply: Reply) -> None:
    if not asked.reply.done():
        asked.reply.set_result(reply)
