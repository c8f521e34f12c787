"""The MQTT door: what the bridge knows goes out, what is asked comes in, each asked for is answered.

On every connection everything is said anew, then each state as it changes. What an earlier run left at the broker and
nobody knows any more is taken away; then Home Assistant is told what there is.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bridge.commands.model import OWNER, CommandError, Reply
from bridge.commands.verbs import LOOKUPS, SEEN
from bridge.commands.views import Link
from bridge.commands.words import check_fields, required
from bridge.directory.logins import Origin
from bridge.events import Event, GroupCall, Notice
from bridge.mqtt import states
from bridge.mqtt.client import BrokerClient
from bridge.mqtt.discovery import DiscoveryTopics, Style, plan
from bridge.mqtt.entities import Site, devices
from bridge.mqtt.model import Message, MqttSettings, Role
from bridge.mqtt.requests import LARGEST, Asked, read
from bridge.mqtt.saying import Sayings
from bridge.mqtt.survey import Survey
from bridge.mqtt.topics import GroupSubject, Topics
from bridge.port.model import OwnPort

LOOK = 60.0  # seconds between two looks at groups without an event: the day's counts end at midnight by themselves
BIRTH = 5.0  # seconds within which all states are said to a Home Assistant that has started
_LARGEST_DISCOVERY = 2**20  # bytes


class MqttDoor:
    """Ties a port to a broker between `start` and `close`.

    `wall` gives UTC seconds; `tell` publishes the door's own events: the broker is away, or there again. `spread`
    gives the seconds to wait at a birth of Home Assistant. Raises MqttError for certificates that cannot be read.
    """

    def __init__(
        self,
        settings: MqttSettings,
        port: OwnPort,
        wall: Callable[[], float],
        tell: Callable[[Event], None],
        spread: Callable[[], float] = lambda: random.uniform(0.0, BIRTH),
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._topics = Topics(settings.prefix)
        self._where = DiscoveryTopics(settings.discovery_prefix, settings.prefix)
        self._port = port
        self._wall = wall
        self._spread = spread
        self._client = BrokerClient(settings, self._role(), self, wall)
        self._survey = Survey(self._client, self._topics, self._where, self._take_away, self._announce)
        self._sayings = Sayings(port, self._topics, self._publish_state)
        self.born: float | None = None
        """When Home Assistant said last that it has started, UTC seconds; None where it did not yet."""
        self._birth: asyncio.TimerHandle | None = None
        self._commands: set[asyncio.Task[None]] = set()
        self._unfollow: Callable[[], None] = lambda: None

    @property
    def link(self) -> Link:
        """How the connection to the broker is, for `status`."""
        return self._client.link

    def renewed(self) -> Callable[[], None]:
        """Read the certificates again; return what has the next connection made with them. Raises MqttError."""
        return self._client.renewed()

    async def start(self) -> None:
        """Begin, on the running loop; whether the broker is there makes no difference."""
        self._loop = asyncio.get_running_loop()
        self._unfollow = self._port.follow(self._on_event)
        self._client.start()
        self._look_again()

    async def close(self) -> None:
        """Answer what was asked, say `offline`, and disconnect."""
        self._unfollow()
        self._look.cancel()
        if self._commands:
            await asyncio.wait(self._commands, timeout=1.0)
        self._sayings.finish()
        self._forget()
        await self._client.close()

    # -- what the client tells ------------------------------------------------------------------------------------

    def changed(self, link: Link) -> None:
        """Tell how the connection to the broker is."""
        because = f": {link.reason}" if link.reason else ""
        self._tell(Notice(self._wall(), "mqtt", f"{self._settings}: {link.state}{because}"))

    def connected(self) -> None:
        """Say everything."""
        self._say_everything()

    def disconnected(self) -> None:
        """Forget what was not yet said: it will be said anew."""
        self._forget()

    def received(self, message: Message) -> None:
        """Do what a message asks, and answer."""
        if message.topic in self._where.births():
            self._on_birth(message)
            return
        if self._survey.received(message):
            return
        topic = self._topics.parse(message.topic)
        asked = read(topic, message, self._wall()) if topic else None
        if asked is None:
            return
        if asked.user is not None and asked.user not in self._port.directory.users:
            self._answer(asked, message, Reply.refused(_unknown_user(asked.user)))
        elif asked.error is not None:
            self._answer(asked, message, Reply.refused(asked.error))
        elif asked.verb == SEEN and asked.actor.is_owner:
            self._on_seen(asked, message)
        elif asked.verb in LOOKUPS:
            self._run(self._look_up(asked, message))
        elif asked.command is None:
            self._answer(asked, message, self._port.ask(asked.verb, asked.arguments, asked.actor))
        else:
            self._run(self._do(asked, message))

    def _on_seen(self, asked: Asked, message: Message) -> None:
        """Take what a satellite tells of a member who stands at its desk."""
        try:
            check_fields(SEEN, asked.arguments, ("group", "member"))
            self._port.seen(required(asked.arguments, "group"), required(asked.arguments, "member"), Origin.MQTT)
        except CommandError as wrong:
            self._answer(asked, message, Reply.refused(wrong))
        else:
            self._answer(asked, message, Reply())

    async def _do(self, asked: Asked, message: Message) -> None:
        assert asked.command is not None
        reply = await self._port.submit(asked.command, asked.actor, Origin.MQTT, asked.key)
        self._answer(asked, message, reply)

    async def _look_up(self, asked: Asked, message: Message) -> None:
        self._answer(asked, message, await self._port.look_up(asked.verb, asked.arguments, asked.actor))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._commands.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._commands.discard(task)
        if not task.cancelled():
            task.result()  # an error in it is a bug, and the loop's exception handler is told

    def _answer(self, asked: Asked, message: Message, reply: Reply) -> None:
        topic = message.response_topic or ""
        if not self._topics.may_answer_at(topic, asked.user):
            topic = self._topics.response(asked.verb, asked.user)
        body = _json(reply.to_json(asked.transaction))
        self._client.publish(topic, body, correlation=message.correlation)

    def _on_birth(self, message: Message) -> None:
        """Say everything to a Home Assistant that has started, a little later than others do."""
        if message.payload == b"online":
            self.born = self._wall()
        if message.payload == b"online" and not message.retained and self._birth is None:
            self._birth = self._loop.call_later(self._spread(), self._on_born)

    def _on_born(self) -> None:
        self._birth = None
        self._sayings.everything()

    # -- what the survey tells ------------------------------------------------------------------------------------

    def _take_away(self, topic: str) -> None:
        if not self._sayings.knows(topic):
            self._client.publish(topic, "", retain=True)

    def _announce(self, found: Mapping[str, str]) -> None:
        status, settings = self._port.ask("status", {}, OWNER).data, self._settings
        site = Site(settings.site, status["version"], tuple(status["trunks"]))
        wanted = devices(site, self._port.directory, self._topics, self._where)
        style = Style(settings.discovery)
        for topic, payload, retain in plan(style, wanted, found, self._where):
            self._client.publish(topic, payload, retain=retain)

    # -- what the port tells --------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        if not self._client.is_connected:
            return
        if not self._sayings.is_current:  # another configuration: what it has no more is taken away too
            self._say_everything()
        self._client.publish(self._topics.bridge_event, _json(event.to_json()))
        if isinstance(event, GroupCall) and event.event_type in states.TOLD_OF_GROUPS:
            self._client.publish(self._topics.group_event(event.group), _json(states.group_event(event)))
        self._sayings.touched(states.touched(event, self._port.directory))

    def _look_again(self) -> None:
        self._look = self._loop.call_later(LOOK, self._look_again)
        if self._client.is_connected:
            self._sayings.touched(map(GroupSubject, self._port.directory.groups))

    def _say_everything(self) -> None:
        """Say everything; `online` comes last, so that whoever waits for it finds the rest true."""
        self._survey.begin()
        self._sayings.everything(lambda: self._publish_state(self._topics.bridge_state, "online"))

    def _publish_state(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, retain=True)

    # -- beginning and ending -------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._survey.end()
        self._sayings.forget()
        if self._birth is not None:
            self._birth.cancel()
            self._birth = None

    def _role(self) -> Role:
        announces = self._settings.discovery != Style.OFF
        return Role(
            # always the same, so that the broker ends a connection of ours that it does not yet know to be dead
            client_id=f"cti-bridge:{self._topics.prefix}",
            presence=self._topics.bridge_state,
            listens=(*self._topics.requests(), *self._where.births()),
            keeps=self._keeps,
            writes=f"{self._topics.prefix}/#" + (f" and {self._where.prefix}/#" if announces else ""),
        )

    def _keeps(self, topic: str) -> int | None:
        if topic.startswith(f"{self._topics.prefix}/") or topic in self._where.births():
            return LARGEST
        return _LARGEST_DISCOVERY if self._where.place(topic) else None


def _json(value: Mapping[str, Any]) -> str:
    """Return a payload; bytes that were no UTF-8 where they came from are question marks in it."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def _unknown_user(name: str) -> CommandError:
    return CommandError(
        "unknown_user", f"there is no user {name[:64]!r}; right is a user's name from the configuration"
    )
