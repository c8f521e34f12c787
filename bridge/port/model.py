"""The one port that every door sees. A local and a remote (satellite) implementation stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bridge.commands.model import Actor, Command, Reply
from bridge.commands.views import Picture
from bridge.directory.logins import Login, Origin
from bridge.directory.model import Directory
from bridge.directory.nights import Opening
from bridge.events import Event

Listener = Callable[[Event], None]


class Port(Protocol):
    """Submit a command, ask a question, follow the confirmed state."""

    @property
    def directory(self) -> Directory:
        """Who there is."""

    def login(self, group: str, member: str) -> Login:
        """Return the confirmed login of a member in a group (by its name)."""

    def opening(self, group: str) -> Opening:
        """Return whether a group (by its name) takes calls, and where its night switch stands."""

    def missed(self, group: str, member: str) -> int:
        """Return how many callers a group has missed of whom a member has not taken note."""

    def seen(self, group: str, member: str, origin: Origin) -> None:
        """Take note that a member has seen what a group has missed."""

    async def submit(self, command: Command, actor: Actor, origin: Origin, transaction: str | None = None) -> Reply:
        """Authorise, decide, commit, apply and tell; return once it is confirmed or refused. Never raises.

        A `transaction` (a key of `bridge.commands.verbs.transaction_key`) that the same actor gave through the same
        door in the last minute is answered again, not done again.
        """

    def ask(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question (one of `bridge.commands.verbs.QUERIES`) from the confirmed state.

        `group`, `member`, `opening` and `line` answer with the contract's state payloads, and are for every actor.
        """

    async def look_up(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question (one of `bridge.commands.verbs.LOOKUPS`) whose answer may lie on the disk. Never raises."""

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the loop with every event from now on; return what ends that."""


class OwnPort(Port, Protocol):
    """The port of the agent itself, where all that views look at is at hand."""

    def picture(self) -> Picture:
        """Return the confirmed state, to be looked at now."""
