"""The port of the agent itself: commands go down the command path, events come out, questions are answered.

`start` takes up the kept logins, `run` does commands until `close`; in between doors submit, ask and follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from bridge.calls.ordered.orders import Answer, Order
from bridge.calls.status import Telephony
from bridge.commands.model import BRIDGE, Actor, Command, CommandError, Reply
from bridge.commands.queries import answer
from bridge.commands.restart import at_start
from bridge.commands.tally import Tally
from bridge.commands.unanswered import Unanswered
from bridge.commands.verbs import QUERIES
from bridge.commands.views import Info, Picture
from bridge.directory.confirmed import Confirmed
from bridge.directory.handling import PLAIN, HandlingChange, Handlings
from bridge.directory.instant import Instant
from bridge.directory.logins import OUT, Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory
from bridge.directory.nights import UNTOUCHED, NightChange, Opening
from bridge.events import Event, MissedChanged, MissedSeen
from bridge.journal.missed import Missed
from bridge.journal.model import Change, Past
from bridge.port.broadcast import Broadcast
from bridge.port.model import Listener
from bridge.port.path import Asked, CommandPath, Keeper
from bridge.port.quiet import Quiet
from bridge.port.recalling import presence_changes, recall_counts
from bridge.port.transactions import Transactions

Lookup = Callable[[str, Mapping[str, Any], Actor], Awaitable[dict[str, Any]]]
"""Answers a question whose answer may lie on the disk; may raise CommandError."""


class LocalPort:
    """Implements `bridge.port.model.Port`, on the loop.

    `wall` gives UTC seconds, `monotonic` seconds, `synchronised` whether the wall's clock is right; `info` what the
    agent knows of itself, asked for each picture. `telephony` may be set when the exchange stands. `logins` are the
    confirmed ones, the same object for ever.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        store: Keeper,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        info: Callable[[], Info],
        telephony: Telephony | None = None,
        synchronised: Callable[[], bool] = lambda: True,
    ) -> None:
        self._confirmed = Confirmed()
        self.telephony: Telephony = telephony or Quiet()
        self._store = store
        self._wall = wall
        self._monotonic = monotonic
        self._synchronised = synchronised
        self._epoch = wall() - monotonic()
        self._info = info
        self._tally = Tally()
        self._broadcast = Broadcast()
        self._broadcast.follow(self._tally.add)
        self._missed = Missed()
        self._broadcast.follow(lambda event: self._tell_missed(self._missed.take(event)))
        self._transactions = Transactions()
        self.carry: Callable[[Order, Answer], None] = _nobody  # may be set when the exchange stands
        self.lookups: Lookup = _no_journal  # may be set when the journal stands
        self._path = CommandPath(
            directory,
            self._confirmed,
            store,
            self.publish,
            self._now,
            lambda: self.telephony.calls(),
            lambda order, answer: self.carry(order, answer),
        )
        self._unanswered = Unanswered()
        self._broadcast.follow(self._pause_who_does_not_answer)

    @property
    def directory(self) -> Directory:
        """Who there is."""
        return self._path.directory

    @property
    def logins(self) -> Logins:
        """The confirmed logins."""
        return self._confirmed.logins

    @property
    def handlings(self) -> Handlings:
        """What lines do with their calls, confirmed."""
        return self._confirmed.handlings

    def login(self, group: str, member: str) -> Login:
        """Return the confirmed login of a member in a group (by its name)."""
        return self.logins.get(group, member)

    def opening(self, group: str) -> Opening:
        """Return whether a group (by its name) takes calls, and where its night switch stands."""
        found = self.directory.groups.get(group)
        return self._path.opening(found) if found is not None else Opening(False)

    async def start(self) -> None:
        """Take up the kept logins and night switches, and write what the start changes in them. Raises StoreError."""
        notices = await self._store.open()
        logins = Logins(await self._store.load())
        nights = await self._store.nights()
        handlings = await self._store.handlings()
        start = at_start(self.directory, logins, self._now())
        if start.changes or start.dropped:
            await self._store.commit(start.changes, start.dropped)
        self._confirmed.apply(LoginChange(*place, OUT, login) for place, login in logins)
        self._confirmed.apply(NightChange(group, UNTOUCHED, switch) for group, switch in nights)
        known = [(line, handling) for line, handling in handlings if line in self.directory.lines]
        self._confirmed.apply(HandlingChange(line, PLAIN, handling) for line, handling in known)
        for notice in notices:
            self.publish(notice)
        self._path.apply(start)

    async def reload(self, directory: Directory, others: Callable[[], None] = lambda: None) -> None:
        """Go by a new configuration: no login changes, who has left is dropped. Raises StoreError: nothing is done.

        `others` lets all else go by it in the same moment, before anybody is told of anything.
        """
        await self._path.take_over(directory, others)

    def clock_changed(self) -> None:
        """Look at the clock again: it was set, or has become right."""
        self._path.wake()

    async def run(self) -> None:
        """Do commands, and what time does, until `close`. What it raises is a bug, and should end the agent."""
        await self._path.run()

    def close(self) -> None:
        """Take no more commands; `run` returns when those that wait are done. The store is closed after that."""
        self._path.close()

    async def submit(self, command: Command, actor: Actor, origin: Origin, transaction: str | None = None) -> Reply:
        """Authorise, decide, commit, apply and tell; return once it is confirmed or refused.

        Who stops waiting does not stop the command.
        """
        if transaction is None:
            return await asyncio.shield(self._take(command, actor, origin))
        key, now = (actor, origin, transaction), self._monotonic()
        reply = self._transactions.find(key, command, now)
        if reply is None:
            reply = self._take(command, actor, origin)
            self._transactions.add(key, command, reply, now)
        return await asyncio.shield(reply)

    def missed(self, group: str, member: str) -> int:
        """Return how many callers a group has missed of whom a member has not taken note."""
        return self._missed.count(group, member, self._wall())

    def seen(self, group: str, member: str, origin: Origin) -> None:
        """Take note that a member has seen what a group has missed, at a desk, here or on a satellite."""
        found = self.directory.groups.get(group)
        if found is not None and found.member(member) is not None and self.missed(group, member):
            self.publish(MissedSeen(self._wall(), group, member, member, origin.value))

    def _tell_missed(self, groups: Iterable[str]) -> None:
        for group in groups:
            self.publish(MissedChanged(self._wall(), group))

    def recall(self, past: Past) -> list[Change]:
        """Take up what the journal tells of the time before the start; return what it is to be told for that."""
        wall = self._wall()
        recall_counts(self._tally, past.calls, self.telephony.calls(), wall)
        self._tell_missed(self._missed.recall(past.calls, past.latest))
        return list(presence_changes(self.directory, self.login, past.latest, wall))

    def ask(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question from the confirmed state."""
        try:
            return Reply(answer(query, arguments, actor, self.picture()))
        except CommandError as refused:
            return Reply.refused(refused)

    async def look_up(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question whose answer may lie on the disk."""
        try:
            return Reply(await self.lookups(query, arguments, actor))
        except CommandError as refused:
            if query in QUERIES and refused.code in ("unavailable", "store_failed"):  # the last calls are remembered
                return self.ask(query, arguments, actor)
            return Reply.refused(refused)

    def picture(self) -> Picture:
        """Return the confirmed state, to be looked at now."""
        now = self._now()
        return Picture(
            directory=self.directory,
            login=self.login,
            telephony=self.telephony,
            tally=self._tally,
            info=self._info(),
            wall=now.wall,
            opening=self._path.opening,
            now=now,
            handling=self.handlings.get,
        )

    def publish(self, event: Event) -> None:
        """Tell every listener; the single way out of events. On the loop only."""
        self._broadcast.publish(event)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the loop with every event from now on; return what ends that."""
        return self._broadcast.follow(listener)

    def _now(self) -> Instant:
        return Instant(self._monotonic(), self._wall(), self._synchronised(), self._epoch)

    def _pause_who_does_not_answer(self, event: Event) -> None:
        command = self._unanswered.take(event, self.directory)
        if command is not None:
            self._take(command, BRIDGE, Origin.BRIDGE)

    def _take(self, command: Command, actor: Actor, origin: Origin) -> asyncio.Future[Reply]:
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._path.take(Asked(command, actor, origin, reply))
        return reply


async def _no_journal(query: str, arguments: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    raise CommandError("unavailable", "there is no journal here")


def _nobody(order: Order, answer: Answer) -> None:
    answer(Reply(code="unavailable", message="there is no telephony here that could do this"))
