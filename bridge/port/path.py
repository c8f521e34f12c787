"""The command path: authorise, decide, commit, apply, tell.

A commit takes as long as the disk takes. The commands that come in meanwhile wait, and are then decided together, in
their order, on one draft, so that each sees what the ones before it have changed; one commit writes them all. When it
fails, none of them has happened: decisions that were made on the draft would be decisions on what never was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.commands.authorise import authorise
from bridge.commands.decide import Decision, decide
from bridge.commands.model import Actor, Command, CommandError, Reply
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory
from bridge.events import CommandRefused, Event, LoginChanged, Notice
from bridge.store.errors import StoreError

WAITING_AT_MOST = 1000  # commands; more than any household of doors asks for while a disk hesitates


class Keeper(Protocol):
    """What is needed of the store; all of it may raise StoreError."""

    async def open(self) -> Sequence[Notice]:
        """Open the store; return what a person should know about that."""

    async def load(self) -> Sequence[tuple[tuple[str, str], Login]]:
        """Return all logins."""

    async def commit(self, changes: Sequence[LoginChange], dropped: Sequence[tuple[str, str]] = ()) -> None:
        """Write changes and forget places, all or none, durably."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command on its way, and the promise of its reply."""

    command: Command
    actor: Actor
    origin: Origin
    reply: asyncio.Future[Reply]


class CommandPath:
    """Takes commands, and does them one batch after the other. `wall` gives UTC seconds."""

    def __init__(
        self,
        directory: Directory,
        logins: Logins,
        keeper: Keeper,
        publish: Callable[[Event], None],
        wall: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._logins = logins
        self._keeper = keeper
        self._publish = publish
        self._wall = wall
        self._waiting: list[Asked] = []
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

    def close(self) -> None:
        """Take no more commands; `run` ends when those that wait are done."""
        self._closed = True
        self._wake.set()

    async def run(self) -> None:
        """Do commands until closed. A bug ends it, with every command answered."""
        batch: list[Asked] = []
        try:
            while self._waiting or not self._closed:
                batch, self._waiting = self._waiting, []
                await self._do(batch)
                if not self._waiting and not self._closed:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._closed = True
            for asked in batch + self._waiting:
                _answer(asked, Reply(code="unavailable", message="the bridge ended before this was confirmed"))

    async def _do(self, batch: Sequence[Asked]) -> None:
        draft, wall = self._logins.copy(), self._wall()
        decisions = [self._decide(asked, draft, wall) for asked in batch]
        changes = [c for d in decisions if isinstance(d, Decision) for c in d.changes]
        if changes:
            try:
                await self._keeper.commit(changes)
            except StoreError as error:
                failed = CommandError("store_failed", f"nothing was changed, because it cannot be kept: {error}")
                decisions = [failed] * len(batch)
            else:
                self._logins.apply(changes)
        for asked, decision in zip(batch, decisions, strict=True):
            self._tell(asked, decision)

    def _decide(self, asked: Asked, draft: Logins, wall: float) -> Decision | CommandError:
        command, actor, origin = asked.command, asked.actor, asked.origin
        try:
            authorise(command, actor, self._directory)
            decision = decide(command, actor, origin, self._directory, draft, wall)
        except CommandError as refused:
            return refused
        draft.apply(decision.changes)
        return decision

    def _tell(self, asked: Asked, decision: Decision | CommandError) -> None:
        if isinstance(decision, CommandError):
            self._refuse(asked, decision)
            return
        _answer(asked, Reply(dict(decision.data)))
        for change in decision.changes:
            self._publish(LoginChanged(self._wall(), change.group, change.member, change.after))

    def _refuse(self, asked: Asked, why: CommandError) -> None:
        _answer(asked, Reply.refused(why))
        command, actor = asked.command, asked.actor
        where = (command.group, command.member)
        self._publish(
            CommandRefused(self._wall(), command.verb, *where, asked.origin, actor.name, why.code, why.message)
        )


def _answer(asked: Asked, reply: Reply) -> None:
    if not asked.reply.done():
        asked.reply.set_result(reply)
