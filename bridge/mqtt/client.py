"""Keeps a connection to the broker: one thread, one session after the other, told about on the loop.

A broker that is away is waited for, 1 to 5 seconds between attempts, for ever; nothing else waits for it. MQTT 5 is
spoken, and 3.1.1 with a broker that has no more: one that says so, or closes the connection instead of answering.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.enums import MQTTProtocolVersion

from bridge.commands.views import Link
from bridge.mqtt.errors import MqttError
from bridge.mqtt.model import Message, MqttSettings, Role
from bridge.mqtt.session import Session

FIRST_DELAY = 1.0  # seconds
LONGEST_DELAY = 5.0
_PARTING = 1.0  # seconds that the broker has for a last word


class Owner(Protocol):
    """Whose client it is; called on the loop."""

    def changed(self, link: Link) -> None:
        """How the connection is has changed; told before `connected`."""

    def connected(self) -> None:
        """A connection stands: say everything."""

    def disconnected(self) -> None:
        """It is over."""

    def received(self, message: Message) -> None:
        """A message came in."""


class BrokerClient:
    """Connects, and connects again, between `start` and `close`. `wall` gives UTC seconds.

    Raises MqttError for certificates that cannot be read.
    """

    def __init__(self, settings: MqttSettings, role: Role, owner: Owner, wall: Callable[[], float]) -> None:
        self._settings = settings
        self._role = role
        self._owner = owner
        self._wall = wall
        self._context = tls_context(settings)
        self._session: Session | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._link = Link("mqtt", "connecting", wall(), fine=False)

    @property
    def link(self) -> Link:
        """How the connection to the broker is."""
        return self._link

    @property
    def is_connected(self) -> bool:
        """Whether what is published is sent."""
        return self._session is not None

    def renewed(self) -> Callable[[], None]:
        """Read the certificates again; return what has the next connection made with them. Raises MqttError."""
        context = tls_context(self._settings)

        def use() -> None:
            self._context = context

        return use

    def start(self) -> None:
        """Begin to connect, and report to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Say `offline`, retained, and disconnect; a broker that does not answer is left."""
        self._stopping.set()
        if self._thread.ident is None:
            return
        session, self._session = self._session, None
        if session is not None:
            last = session.publish(self._role.presence, "offline", retain=True)
            await asyncio.to_thread(_wait_for, last)
            session.leave("it ends")
        await asyncio.to_thread(self._thread.join, _PARTING)

    def publish(self, topic: str, payload: str, *, retain: bool = False, correlation: bytes | None = None) -> None:
        """Send a message at QoS 1; without a connection it is dropped, for it would be stale when it were sent."""
        if self._session is not None:
            self._session.publish(topic, payload, retain=retain, correlation=correlation)

    def look(self, filters: Sequence[str]) -> None:
        """Hear also, on this connection, what else there is at the broker, retained messages first."""
        if self._session is not None:
            self._session.look(filters)

    def look_away(self, filters: Sequence[str]) -> None:
        """End a `look`."""
        if self._session is not None:
            self._session.look_away(filters)

    # -- what sessions tell, on the loop ----------------------------------------------------------------------

    def accepted(self, session: Session) -> None:
        """Take a session that stands."""
        if self._stopping.is_set():
            session.leave("it ends")
            return
        self._become(Link("mqtt", "connected", self._wall()))
        self._session = session
        self._owner.connected()

    def received(self, session: Session, message: Message) -> None:
        """Pass a message on."""
        if session is self._session:
            self._owner.received(message)

    def complained(self, session: Session, text: str) -> None:
        """Note what the broker refuses."""
        if session is self._session:
            self._become(Link("mqtt", "connected", self._link.since, text, fine=False))

    def _ended(self, session: Session) -> None:
        if session is self._session:
            self._session = None
            self._owner.disconnected()
        if not self._stopping.is_set():
            since = self._link.since if self._link.state == "away" else self._wall()
            self._become(Link("mqtt", "away", since, session.reason, fine=False))

    def _become(self, link: Link) -> None:
        """Note how it is, and tell it once, however often it is found so."""
        before, self._link = self._link, link
        if (link.state, link.reason) != (before.state, before.reason):
            self._owner.changed(link)

    # -- the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        protocol, delay = MQTTProtocolVersion.MQTTv5, 0.0
        while not self._stopping.wait(delay):
            is_accepted, is_understood = self._serve(protocol)
            delay = FIRST_DELAY if is_accepted else min(max(2 * delay, FIRST_DELAY), LONGEST_DELAY)
            if not is_understood:
                protocol = _other(protocol)
                delay = 0.0 if protocol is MQTTProtocolVersion.MQTTv311 else delay

    def _serve(self, protocol: MQTTProtocolVersion) -> tuple[bool, bool]:
        """Have one session from its beginning to its end; return whether it was accepted, and understood."""
        session = Session(self._settings, self._role, protocol, self._context, self, self._tell)
        try:
            session.serve()
        except Exception as error:  # what a broker sends may be anything, and paho does not foresee all of it
            session.reason = f"what the broker sent cannot be read ({error!r})"
        session.let_go()
        self._tell(self._ended, session)
        return session.is_accepted, session.is_understood

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        """Bring what happened on the thread to the loop."""
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop is closed; nobody is left to be told
            self._stopping.set()


def _other(protocol: MQTTProtocolVersion) -> MQTTProtocolVersion:
    five = protocol is MQTTProtocolVersion.MQTTv5
    return MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5


def _wait_for(message: MQTTMessageInfo) -> None:
    try:
        message.wait_for_publish(_PARTING)
    except (RuntimeError, ValueError):  # it was not queued: the connection ended at the same moment
        return


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """Return what TLS needs, None where it is not wanted; raises MqttError."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise MqttError(f"mqtt.ca: {settings.ca} is not usable ({error}); right is a PEM file") from None
    try:
        if settings.cert is not None:
            context.load_cert_chain(settings.cert, settings.key, password=_no_password)
    except (OSError, ValueError) as error:
        wrong = f"{settings.cert} with {settings.key or 'the key in it'}"
        raise MqttError(f"mqtt.cert: {wrong} is not usable ({error}); right are a PEM file and its key") from None
    return context


def _no_password() -> str:
    """Keep OpenSSL from asking for one at the terminal."""
    raise ValueError("the key has a password")
