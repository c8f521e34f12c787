"""One connection at the control socket: its requests one after the other, and the events if it follows them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from bridge.commands.effective import somebody
from bridge.commands.eyes import Eyes
from bridge.commands.model import Actor, CommandError, Reply
from bridge.commands.verbs import COMMANDS, LOOKUPS, QUERIES, parse, transaction_key
from bridge.commands.words import NAME_LENGTH, check_fields
from bridge.control.protocol import FOLLOW, LONGEST_LINE, Request, read_request, write_line
from bridge.directory.logins import Origin
from bridge.events import Event
from bridge.log import describe
from bridge.port.model import Port

Verb = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Answers arguments with data; may raise CommandError."""

UNREAD_AT_MOST = 1024 * 1024  # bytes; a follower who is that far behind is let go


class Session:
    """Serves one peer who acts as `actor`. `wall` gives UTC seconds. `more`: verbs for the owner alone."""

    def __init__(
        self,
        port: Port,
        actor: Actor,
        writer: asyncio.StreamWriter,
        wall: Callable[[], float],
        more: Mapping[str, Verb] = MappingProxyType({}),
    ) -> None:
        self._port = port
        self._actor = actor
        self._writer = writer
        self._wall = wall
        self._more = more
        self._unfollow: Callable[[], None] | None = None

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Answer until the peer goes. Raises ConnectionError when it goes in the midst of an answer."""
        try:
            while line := await self._line(reader):
                await self._answer(line)
        finally:
            if self._unfollow is not None:
                self._unfollow()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next line, or nothing at the end; a line that is too long ends the connection."""
        try:
            return await reader.readline()
        except ValueError:
            error = CommandError("too_large", f"a line is longer than {LONGEST_LINE} bytes")
            await self._reply(Reply.refused(error), None)
            return b""

    async def _answer(self, line: bytes) -> None:
        if not line.strip():
            return
        transaction = None
        try:
            request = read_request(line)
            key = transaction_key(request.transaction)
            transaction = request.transaction
            reply = await self._do(request, key)
        except CommandError as refused:
            reply = Reply.refused(refused)
        await self._reply(reply, transaction)
        if reply.ok and request.verb == FOLLOW and self._unfollow is None:
            self._follow(self._acting(request))

    async def _do(self, request: Request, key: str | None) -> Reply:
        actor = self._acting(request)
        if request.verb == FOLLOW:
            check_fields(FOLLOW, request.arguments, ())
            return Reply()
        if request.verb in LOOKUPS:
            return await self._port.look_up(request.verb, request.arguments, actor)
        if request.verb in QUERIES:
            return self._port.ask(request.verb, request.arguments, actor)
        if request.verb in COMMANDS:
            own = None if actor.is_owner else actor.name
            command = parse(request.verb, request.arguments, self._wall(), own=own)
            return await self._port.submit(command, actor, Origin.CONTROL, key)
        if request.verb in self._more:
            if not actor.is_owner:
                raise CommandError("not_allowed", f"{request.verb} is for the owner; {actor.name} is not")
            return Reply(await self._more[request.verb](request.arguments))
        right = ", ".join(dict.fromkeys((*COMMANDS, *QUERIES, *LOOKUPS, FOLLOW, *self._more)))
        raise CommandError("unknown_verb", f"there is no verb {request.verb[:64]!r}; verbs are: {right}")

    def _acting(self, request: Request) -> Actor:
        """Return as whom a request is done: the peer, or whoever the owner names. Raises CommandError."""
        if request.who is None or request.who == self._actor.name:
            return self._actor
        if not self._actor.is_owner:
            text = f"{self._actor.name} may not act as {request.who[:NAME_LENGTH]}; only the owner may"
            raise CommandError("not_allowed", text)
        return somebody(request.who, self._port.directory)

    def _follow(self, actor: Actor) -> None:
        """Tell the events that the actor may see, from now on."""
        eyes = Eyes(actor, self._port.directory)

        def tell(event: Event) -> None:
            nonlocal eyes
            if eyes.directory is not self._port.directory:  # another configuration
                eyes = Eyes(actor, self._port.directory)
            body = eyes.event(event)
            if body is not None:
                self._tell(_in_words(body, event, whole=eyes.all))

        self._unfollow = self._port.follow(tell)

    async def _reply(self, reply: Reply, transaction: object) -> None:
        self._writer.write(write_line(reply.to_json(transaction)))
        await self._writer.drain()

    def _tell(self, body: Mapping[str, Any]) -> None:
        self._writer.write(write_line(body))
        if self._writer.transport.get_write_buffer_size() > UNREAD_AT_MOST:
            self._writer.transport.abort()


def _in_words(body: dict[str, Any], event: Event, *, whole: bool) -> dict[str, Any]:
    """Add an event in words, as the log has it, unless something of it is hidden from whoever sees it."""
    described = describe(event) if whole or body == event.to_json() else None
    return {**body, "text": described[1]} if described is not None else body
