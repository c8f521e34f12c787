"""The MQTT door: what the bridge knows goes out, what is asked comes in, each asked for is answered.

On every connection everything is said anew; then each state once per change, and only when its payload differs from
what this connection has heard. Changes that come close together are gathered for 20 ms.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from bridge.commands.model import OWNER, Reply
from bridge.commands.views import Link
from bridge.directory.logins import Origin
from bridge.events import Event, GroupCall, Notice
from bridge.mqtt import states
from bridge.mqtt.client import BrokerClient
from bridge.mqtt.model import Message, MqttSettings
from bridge.mqtt.requests import Asked, read
from bridge.mqtt.topics import Topics
from bridge.port.model import Port

GATHER = 0.02  # seconds between two rounds of states, at the least


class MqttDoor:
    """Ties a port to a broker between `start` and `close`.

    `wall` gives UTC seconds; `tell` publishes the door's own events: the broker is away, or there again. Raises
    MqttError for certificates that cannot be read.
    """

    def __init__(
        self, settings: MqttSettings, port: Port, wall: Callable[[], float], tell: Callable[[Event], None]
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._topics = Topics(settings.prefix)
        self._port = port
        self._wall = wall
        self._client = BrokerClient(settings, self, wall)
        self._said: dict[str, str] = {}  # by topic, on this connection
        self._stale: dict[states.Subject, None] = {}
        self._said_at = 0.0  # seconds, monotonic
        self._round: asyncio.TimerHandle | None = None
        self._commands: set[asyncio.Task[None]] = set()
        self._unfollow: Callable[[], None] = lambda: None

    @property
    def link(self) -> Link:
        """How the connection to the broker is, for `status`."""
        return self._client.link

    async def start(self) -> None:
        """Begin, on the running loop; whether the broker is there makes no difference."""
        self._loop = asyncio.get_running_loop()
        self._unfollow = self._port.follow(self._on_event)
        self._client.start()

    async def close(self) -> None:
        """Answer what was asked, say `offline`, and disconnect."""
        self._unfollow()
        if self._commands:
            await asyncio.wait(self._commands, timeout=1.0)
        if self._round is not None:
            self._round.cancel()
            self._say_stale()
        await self._client.close((self._topics.bridge_state, "offline"))

    # -- what the client tells --------------------------------------------------------------------------------

    def changed(self, link: Link) -> None:
        """Tell how the connection to the broker is."""
        because = f": {link.reason}" if link.reason else ""
        self._tell(Notice(self._wall(), "mqtt", f"{self._settings}: {link.state}{because}"))

    def connected(self) -> None:
        """Say everything; `online` comes last, so that whoever waits for it finds the rest true."""
        self._said.clear()
        self._stale = dict.fromkeys(states.everything(self._port.directory))
        self._say_stale()
        self._client.publish(self._topics.bridge_state, "online", retain=True)

    def disconnected(self) -> None:
        """Forget what was not yet said: it will be said anew."""
        self._stale.clear()

    def received(self, message: Message) -> None:
        """Do what a message asks, and answer."""
        topic = self._topics.parse(message.topic)
        asked = read(topic, message, self._wall()) if topic else None
        if asked is None:
            return
        if asked.error is not None:
            self._answer(asked, message, Reply.refused(asked.error))
        elif asked.command is None:
            self._answer(asked, message, self._port.ask(asked.verb, asked.arguments, OWNER))
        else:
            task = self._loop.create_task(self._do(asked, message))
            self._commands.add(task)
            task.add_done_callback(self._done)

    async def _do(self, asked: Asked, message: Message) -> None:
        assert asked.command is not None
        reply = await self._port.submit(asked.command, OWNER, Origin.MQTT, asked.key)
        self._answer(asked, message, reply)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._commands.discard(task)
        if not task.cancelled():
            task.result()  # an error in it is a bug, and the loop's exception handler is told

    def _answer(self, asked: Asked, message: Message, reply: Reply) -> None:
        topic = message.response_topic or ""
        if not self._topics.may_answer_at(topic):
            topic = self._topics.response(asked.verb)
        body = _json(reply.to_json(asked.transaction))
        self._client.publish(topic, body, correlation=message.correlation)

    # -- what the port tells ----------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        if not self._client.is_connected:
            return
        self._client.publish(self._topics.bridge_event, _json(event.to_json()))
        if isinstance(event, GroupCall) and event.event_type in states.TOLD_OF_GROUPS:
            self._client.publish(self._topics.group_event(event.group), _json(states.group_event(event)))
        self._stale.update(dict.fromkeys(states.touched(event, self._port.directory)))
        if self._stale and self._round is None:
            self._round = self._loop.call_at(self._said_at + GATHER, self._say_stale)

    def _say_stale(self) -> None:
        """Publish the states that may have changed, where they have."""
        self._round, self._said_at = None, self._loop.time()
        subjects, self._stale = self._stale, {}
        for subject in subjects:
            self._say(states.topic(subject, self._topics), states.payload(subject, self._port))

    def _say(self, topic: str, payload: Mapping[str, Any] | None) -> None:
        text = "" if payload is None else _json(payload)  # an empty payload takes a retained message away
        if self._said.get(topic) != text:
            self._said[topic] = text
            self._client.publish(topic, text, retain=True)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
