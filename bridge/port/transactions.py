"""Commands that were seen in the last minute: what is delivered twice is answered twice and done once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bridge.commands.model import Actor, Command, Reply
from bridge.directory.logins import Origin

REMEMBERED = 60.0  # seconds
AT_MOST = 1024
_UNDECIDED = frozenset({"store_failed", "unavailable"})

_Key = tuple[Actor, Origin, str]


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    command: Command
    reply: asyncio.Future[Reply]


class Transactions:
    """The replies, or the promises of replies, to commands that carried a transaction. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._seen: dict[_Key, _Seen] = {}  # in the order of their age

    def find(self, key: _Key, command: Command, now: float) -> asyncio.Future[Reply] | None:
        """Return the earlier reply to this transaction, or None where it is new.

        A transaction that was used for another command a moment ago is a mistake, and gets a refusal.
        """
        self._forget(now)
        seen = self._seen.get(key)
        if seen is None or seen.command == command:
            return seen.reply if seen else None
        text = "this transaction was used for another command in the last minute; give each command its own"
        refused: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        refused.set_result(Reply(code="bad_request", message=text))
        return refused

    def add(self, key: _Key, command: Command, reply: asyncio.Future[Reply], now: float) -> None:
        """Remember a command that is being done; what the store or the agent could not do may be asked again."""
        self._seen[key] = _Seen(now, command, reply)
        if len(self._seen) > AT_MOST:
            del self._seen[next(iter(self._seen))]
        reply.add_done_callback(lambda done: self._settled(key, done))

    def _settled(self, key: _Key, reply: asyncio.Future[Reply]) -> None:
        seen = self._seen.get(key)
        if seen and seen.reply is reply and (reply.cancelled() or reply.result().code in _UNDECIDED):
            del self._seen[key]

    def _forget(self, now: float) -> None:
        for key, seen in list(self._seen.items()):
            if seen.at > now - REMEMBERED:
                return
            del self._seen[key]
