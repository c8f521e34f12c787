"""What an earlier run left at the broker, retained: looked at once on every connection, then taken away or told of.

There is no message that ends the retained ones. The bridge's own `online`, said after it began to look, comes back
after them; a broker that lets nobody read it is given some seconds instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.mqtt.client import BrokerClient
from bridge.mqtt.discovery import DiscoveryTopics
from bridge.mqtt.model import Message
from bridge.mqtt.topics import Topics

PATIENCE = 3.0  # seconds


class Survey:
    """Looks between `begin` and `end`. `stale` takes the topics of states that nobody knows any more.

    `done` is called with the discovery messages that were found, by topic.
    """

    def __init__(
        self,
        client: BrokerClient,
        topics: Topics,
        where: DiscoveryTopics,
        stale: Callable[[str], None],
        done: Callable[[dict[str, str]], None],
    ) -> None:
        self._client = client
        self._topics = topics
        self._where = where
        self._stale = stale
        self._done = done
        # its own presence is last, so that its retained messages come last too
        self._filters = (*topics.states(), *where.everywhere(), topics.bridge_state)
        self._found: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Look; to be called before anything is said on a connection."""
        self.end()
        self._found = {}
        self._client.look(self._filters)
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._finish)

    def end(self) -> None:
        """Look no more: the connection is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def received(self, message: Message) -> bool:
        """Take a message in; return whether it was for the survey."""
        if message.topic == self._topics.bridge_state:
            if self._timer is not None and not message.retained and message.payload == b"online":
                self._finish()
            return True
        if self._where.place(message.topic) is not None:
            if message.retained and message.size:
                self._found[message.topic] = (message.payload or b"").decode("utf-8", "replace")
            return True
        if self._topics.subject(message.topic) is None:
            return False
        if message.retained and message.size:
            self._stale(message.topic)
        return True

    def _finish(self) -> None:
        self.end()
        self._client.look_away(self._filters)
        self._done(self._found)
