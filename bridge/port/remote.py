"""The port of a satellite: the same as the agent's own, over the broker.

Confirmed states come from the retained topics, commands are asked for on the members' `set` topics, and each is
answered. Who there is is asked of the bridge whenever it appears. All that a satellite says of itself is whether it is
there.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bridge.commands.model import Actor, Command, CommandError, Reply
from bridge.commands.queries import answer
from bridge.commands.tally import Tally
from bridge.commands.verbs import SEEN
from bridge.commands.views import Info, Link, Picture
from bridge.directory.logins import Login, Origin
from bridge.directory.model import Directory
from bridge.directory.nights import Opening
from bridge.events import Event, Notice
from bridge.mqtt.client import BrokerClient
from bridge.mqtt.model import Message, MqttSettings, Role
from bridge.mqtt.topics import GroupSubject, LineSubject, MemberSubject, MissedSubject, NightSubject, Subject, Topics
from bridge.port.broadcast import Broadcast
from bridge.port.mirror import Mirror
from bridge.port.model import Listener
from bridge.port.wire import asked

PATIENCE = 5.0  # seconds that an answer may take
_LARGEST = 2**20  # bytes
_STATES: tuple[Subject, ...] = (
    *(GroupSubject("+"), MemberSubject("+", "+"), NightSubject("+"), MissedSubject("+"), LineSubject("+")),
)


class RemotePort:
    """Implements `bridge.port.model.Port` on the loop, between `start` and `close`; `mirror` is its telephony.

    `directory` is what to go by until the bridge has told; `learned` is called when it has told of something else.
    `info` is what the satellite knows of itself. Raises MqttError for certificates that cannot be read.
    """

    def __init__(
        self,
        settings: MqttSettings,
        name: str,
        directory: Directory,
        wall: Callable[[], float],
        info: Callable[[], Info],
        learned: Callable[[], None],
    ) -> None:
        self.mirror = Mirror(directory)
        self._settings = settings
        self._name = name
        self._topics = Topics(settings.prefix)
        self._wall = wall
        self._info = info
        self._learned = learned
        self._broadcast = Broadcast()
        self._client = BrokerClient(settings, self._role(), self, wall)
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._run = secrets.token_hex(4)
        self._count = 0
        self._arrival: asyncio.Task[None] | None = None

    @property
    def directory(self) -> Directory:
        """Who there is."""
        return self.mirror.directory

    @property
    def links(self) -> tuple[Link, ...]:
        """The connection to the broker, and by it the one to the bridge."""
        here = self.mirror.here
        state = "there" if here else "not there"
        return self._client.link, Link(f"bridge {self._topics.prefix}", state, self.mirror.since, fine=here)

    def login(self, group: str, member: str) -> Login:
        """Return the confirmed login of a member in a group (by its name)."""
        return self.mirror.login(group, member)

    def opening(self, group: str) -> Opening:
        """Return whether a group (by its name) takes calls, and where its night switch stands."""
        return self.mirror.opening(group)

    def missed(self, group: str, member: str) -> int:
        """Return how many callers a group has missed of whom a member has not taken note."""
        return self.mirror.missed(group, member)

    def seen(self, group: str, member: str, origin: Origin) -> None:
        """Tell the bridge that a member has taken note of what a group has missed; nothing waits for its answer."""
        body = {"group": group, "member": member, "transaction": f"{self._name}:seen"}
        if self.mirror.here:
            self._client.publish(self._topics.request(SEEN), json.dumps(body))

    def renewed(self) -> Callable[[], None]:
        """Read the certificates again; return what has the next connection made with them. Raises MqttError."""
        return self._client.renewed()

    def start(self) -> None:
        """Begin to connect; whether the broker or the bridge are there makes no difference."""
        self.mirror.since = self._wall()
        self._client.start()

    async def close(self) -> None:
        """Say `offline`, and disconnect."""
        self._end_arrival()
        self._give_up()
        await self._client.close()

    async def submit(self, command: Command, actor: Actor, origin: Origin, transaction: str | None = None) -> Reply:
        """Ask the bridge; return once it has confirmed or refused, or has not answered in time."""
        if not self.mirror.here:
            return Reply(code="unavailable", message="the bridge is not there; nothing was changed")
        topic, body = asked(command, self.mirror, self._topics)
        reply = await self._ask(topic, body, transaction)
        self._publish_all(self.mirror.confirmed(reply.data, self._wall()))
        return reply

    def ask(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Answer a question from what the bridge has said."""
        mirror = self.mirror
        if query == "group" and mirror.groups.get(str(arguments.get("group"))):
            return Reply(dict(mirror.groups[str(arguments["group"])]))
        picture = Picture(
            mirror.directory,
            mirror.login,
            mirror,
            Tally(),
            self._info(),
            self._wall(),
            opening=lambda group: mirror.opening(group.name),
        )
        try:
            return Reply(answer(query, arguments, actor, picture))
        except CommandError as refused:
            return Reply.refused(refused)

    async def look_up(self, query: str, arguments: Mapping[str, Any], actor: Actor) -> Reply:
        """Refuse: a satellite has no journal."""
        return Reply(code="unavailable", message=f"{query} is for the bridge to answer; this is a satellite of it")

    def publish(self, event: Event) -> None:
        """Tell every listener; on the loop only."""
        self._broadcast.publish(event)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the loop with every event from now on; return what ends that."""
        return self._broadcast.follow(listener)

    # -- what the client tells ------------------------------------------------------------------------------------

    def changed(self, link: Link) -> None:
        """Tell how the connection to the broker is."""
        because = f": {link.reason}" if link.reason else ""
        self.publish(Notice(self._wall(), "mqtt", f"{self._settings}: {link.state}{because}"))

    def connected(self) -> None:
        """Say that it is there; what the bridge has said comes by itself."""
        self._client.publish(self._topics.satellite_state(self._name), "online", retain=True)

    def disconnected(self) -> None:
        """Without the broker nothing is known of the bridge."""
        self._gone()

    def received(self, message: Message) -> None:
        """Take in a state, whether the bridge is there, or an answer."""
        text = (message.payload or b"").decode("utf-8", "replace")
        subject = self._topics.subject(message.topic)
        if subject is not None:
            self._publish_all(self.mirror.hear(subject, text, self._wall()))
        elif message.topic == self._topics.bridge_state:
            self._appeared() if text == "online" else self._gone()
        else:
            self._answered(text)

    # -- the bridge comes and goes --------------------------------------------------------------------------------

    def _appeared(self) -> None:
        """Ask who there is; the bridge may have been started anew with another configuration."""
        self._end_arrival()
        self._arrival = asyncio.get_running_loop().create_task(self._arrive())
        self._arrival.add_done_callback(_done)

    async def _arrive(self) -> None:
        before = self.mirror.directory
        while True:
            groups = await self._ask(self._topics.request("groups"), {})
            lines = await self._ask(self._topics.request("lines"), {})
            if groups.ok and lines.ok and self.mirror.learn(groups.data, lines.data):
                break
            why = groups.message or lines.message or "its answer cannot be read"
            self.publish(Notice(self._wall(), "satellite", f"the bridge does not tell who there is: {why}"))
            await asyncio.sleep(PATIENCE)
        if self.mirror.directory != before:
            self._learned()
        self._publish_all(self.mirror.appear(True, self._wall()))
        self.publish(Notice(self._wall(), "satellite", f"the bridge {self._topics.prefix} is there"))

    def _gone(self) -> None:
        self._end_arrival()
        if self.mirror.here:
            self._publish_all(self.mirror.appear(False, self._wall()))
            self.publish(Notice(self._wall(), "satellite", f"the bridge {self._topics.prefix} is gone"))
        self._give_up()

    def _end_arrival(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    # -- asking ---------------------------------------------------------------------------------------------------

    async def _ask(self, topic: str, body: dict[str, Any], transaction: str | None = None) -> Reply:
        self._count += 1
        own = transaction or f"{self._run}-{self._count}"
        key = f"{self._name}:{own}"
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[key] = waiting
        self._client.publish(topic, json.dumps({**body, "transaction": key}))
        try:
            return await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            return Reply(code="unavailable", message=f"the bridge did not answer within {PATIENCE:g} s")
        finally:
            self._waiting.pop(key, None)

    def _answered(self, text: str) -> None:
        try:
            body = json.loads(text)
            waiting = self._waiting.get(str(body["transaction"]))
            error = body["error"] or {}
            reply = Reply(dict(body["data"]), error.get("code"), str(error.get("message", "")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # not one of the bridge's answers
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def _give_up(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(Reply(code="unavailable", message="the bridge went before it answered"))

    def _publish_all(self, events: Iterable[Event]) -> None:
        for event in list(events):
            self.publish(event)

    def _role(self) -> Role:
        topics, prefix = self._topics, self._topics.prefix
        states = [topics.state(each) for each in _STATES]
        return Role(
            client_id=f"cti-bridge:{prefix}:{self._name}",
            presence=topics.satellite_state(self._name),
            listens=(*states, topics.bridge_info, topics.response("+"), topics.bridge_state),
            keeps=lambda topic: _LARGEST,
            writes=f"{topics.satellite_state(self._name)}, {topics.member_set('+', '+')} and {topics.request('+')}",
        )


def _done(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()  # an error in it is a bug, and the loop's exception handler is told
