"""The port of the agent itself: commands go down the command path, events come out, questions are answered.

`start` takes up the kept logins, `run` does commands until `close`; in between doors submit, ask and follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from bridge.calls.status import Telephony
from bridge.commands.model import Actor, Command, CommandError, Reply
from bridge.commands.queries import answer
from bridge.commands.restart import at_start
from bridge.commands.tally import Tally
from bridge.commands.views import Info, Picture
from bridge.directory.logins import OUT, Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory
from bridge.events import Event, LoginChanged, MemberDropped
from bridge.port.broadcast import Broadcast
from bridge.port.model import Listener
from bridge.port.path import Asked, CommandPath, Keeper
from bridge.port.quiet import Quiet
from bridge.port.transactions import Transactions


class LocalPort:
    """Implements `bridge.port.model.Port`, on the loop.

    `wall` gives UTC seconds, `monotonic` seconds; `info` what the agent knows of itself, asked for each picture.
    `telephony` may be set when the exchange stands. `logins` are the confirmed ones, the same object for ever.
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
    ) -> None:
        self.logins = Logins()
        self.telephony: Telephony = telephony or Quiet()
        self._directory = directory
        self._store = store
        self._wall = wall
        self._monotonic = monotonic
        self._info = info
        self._tally = Tally()
        self._broadcast = Broadcast()
        self._broadcast.follow(self._tally.add)
        self._transactions = Transactions()
        self._path = CommandPath(directory, self.logins, store, self.publish, wall)

    @property
    def directory(self) -> Directory:
        """Who there is."""
        return self._directory

    def login(self, group: str, member: str) -> Login:
        """Return the confirmed login of a member in a group (by its name)."""
        return self.logins.get(group, member)

    async def start(self) -> None:
        """Take up the kept logins and write what the start changes in them. Raises StoreError."""
        notices = await self._store.open()
        kept = Logins(await self._store.load())
        start = at_start(self._directory, kept, self._wall())
        if start.changes or start.dropped:
            await self._store.commit(start.changes, start.dropped)
        for place in start.dropped:
            kept.drop(*place)
        kept.apply(start.changes)
        self.logins.apply(LoginChange(*place, OUT, login) for place, login in kept)
        told: list[Event] = [*notices]
        told += [MemberDropped(self._wall(), *place) for place in start.dropped]
        told += [LoginChanged(self._wall(), c.group, c.member, c.after) for c in start.changes]
        for event in told:
            self.publish(event)

    async def run(self) -> None:
        """Do commands until `close`. What it raises is a bug, and should end the agent."""
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

    def ask(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question from the confirmed state."""
        picture = Picture(self._directory, self.login, self.telephony, self._tally, self._info(), self._wall())
        try:
            return Reply(answer(query, arguments, actor, picture))
        except CommandError as refused:
            return Reply.refused(refused)

    def publish(self, event: Event) -> None:
        """Tell every listener; the single way out of events. On the loop only."""
        self._broadcast.publish(event)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the loop with every event from now on; return what ends that."""
        return self._broadcast.follow(listener)

    def _take(self, command: Command, actor: Actor, origin: Origin) -> asyncio.Future[Reply]:
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._path.take(Asked(command, actor, origin, reply))
        return reply
