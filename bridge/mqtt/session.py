"""One connection to the broker, from its CONNECT to its end; made anew for every connection.

So nothing that was said on an earlier connection can be sent on a later one: paho's client keeps what was not
acknowledged, and would send it again after the reconnect, when it is no longer true.

`serve` runs on a thread of its own. paho hands its callbacks to that thread, and each is passed on to the loop by
`tell`, which is the one place where they cross. `publish` and `leave` are called on the loop: they put packets into
paho's queue, and the thread writes them to the socket.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.mqtt.model import Message, MqttSettings, Role

CLOSED = "the broker closed the connection"
_QUEUED_AT_MOST = 10_000  # messages not acknowledged: beyond it the connection is given up
_UNDER_WAY = 10  # messages sent and not acknowledged; every broker in use takes as many
_PACKET_AT_MOST = 2**21  # bytes that an MQTT 5 broker may send at once
_WRONG_VERSION = "Unsupported protocol version"
_SILENT = "Keep alive timeout"


class Listener(Protocol):
    """Who is told, on the loop, what happens on a session."""

    def accepted(self, session: Session) -> None:
        """The broker took the connection; what is published now is sent."""

    def received(self, session: Session, message: Message) -> None:
        """A message came in."""

    def complained(self, session: Session, text: str) -> None:
        """The broker refuses something and keeps the connection."""


class Session:
    """One connection. `tell` runs a function with its arguments on the loop, from any thread."""

    def __init__(
        self,
        settings: MqttSettings,
        role: Role,
        protocol: MQTTProtocolVersion,
        context: ssl.SSLContext | None,
        listener: Listener,
        tell: Callable[..., None],
    ) -> None:
        self.is_accepted = False
        self.is_understood = True  # False: the broker was reached, and did not know what to answer
        self.reason = CLOSED  # why it ended, or will have
        self._settings = settings
        self._five = protocol is MQTTProtocolVersion.MQTTv5
        self._role = role
        self._listener = listener
        self._tell = tell
        self._client = self._make(protocol, context)

    # -- on the thread ----------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Connect, and stay until the connection is over; `reason` then says why."""
        settings = self._settings
        try:
            self._client.connect(
                settings.host, settings.port, settings.keepalive, properties=self._connect_properties()
            )
        except (OSError, ValueError) as error:  # ValueError: a host name that no resolver takes
            self.reason = _words(error)
            return
        self.is_understood = False
        while self._client.loop(timeout=settings.keepalive / 4) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            continue

    def let_go(self) -> None:
        """Forget each other: paho closes the two sockets with which it wakes its thread when nobody knows it any more.

        With its callbacks in place it and this session are a circle, which only the garbage collector would undo.
        """
        client = self._client
        client.on_connect = client.on_disconnect = client.on_message = client.on_subscribe = client.on_publish = None

    # -- on the loop ------------------------------------------------------------------------------------------

    def publish(self, topic: str, payload: str, *, retain: bool, correlation: bytes | None = None) -> MQTTMessageInfo:
        """Hand a message to the thread, at QoS 1."""
        properties = None
        if correlation is not None and self._five:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self.leave("the broker acknowledges nothing any more")
        return info

    def look(self, filters: Sequence[str]) -> None:
        """Hear for a while what else there is, retained messages first; at QoS 0, so that it holds up nothing."""
        self._client.subscribe([(topic, 0) for topic in filters])

    def look_away(self, filters: Sequence[str]) -> None:
        """End a `look`."""
        self._client.unsubscribe(list(filters))

    def leave(self, reason: str) -> None:
        """End the connection in order: the broker says nothing of a will."""
        self.reason = reason
        self._client.disconnect()

    # -- paho's callbacks, on the thread ----------------------------------------------------------------------

    def _on_connect(self, client: Client, _: Any, flags: ConnectFlags, code: ReasonCode, properties: Any) -> None:
        self.is_understood = str(code) != _WRONG_VERSION
        if code.is_failure:
            self.reason = f"the broker refuses the connection: {code}"
            return
        self.is_accepted = True
        if self._five:
            # "retain as published": a retained message shows as such also to whom it is sent on at once
            options = SubscribeOptions(qos=1, retainAsPublished=True)
            client.subscribe([(topic, options) for topic in self._role.listens])
        else:
            client.subscribe([(topic, 1) for topic in self._role.listens])
        self._tell(self._listener.accepted, self)

    def _on_disconnect(self, client: Client, _: Any, flags: Any, code: ReasonCode, properties: Any) -> None:
        if self.reason != CLOSED:
            return
        if flags.is_disconnect_packet_from_server:
            self.reason = f"the broker ended the connection: {code}"
        elif str(code) == _SILENT:
            self.reason = "the broker does not answer any more"

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        size = len(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # not one of ours, and no way to answer
        largest = self._role.keeps(topic)
        if largest is None:
            return
        kept = bytes(message.payload) if size <= largest else None
        response, correlation = _reply_to(message.properties)
        heard = Message(topic, kept, size, bool(message.retain), response, correlation)
        self._tell(self._listener.received, self, heard)

    def _on_subscribe(self, client: Client, _: Any, mid: int, codes: list[ReasonCode], properties: Any) -> None:
        failed = [str(code) for code in codes if code.is_failure]
        if failed:
            text = f"the broker refuses the subscription ({failed[0]}): no command comes in; its ACL has to allow it"
            self._tell(self._listener.complained, self, text)

    def _on_publish(self, client: Client, _: Any, mid: int, code: ReasonCode, properties: Any) -> None:
        acknowledge_at_once(client.socket())
        if code.is_failure:
            text = f"the broker refuses what is published ({code}); its ACL has to allow {self._role.writes}"
            self._tell(self._listener.complained, self, text)

    # -- making -----------------------------------------------------------------------------------------------

    def _make(self, protocol: MQTTProtocolVersion, context: ssl.SSLContext | None) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            # always the same, so that the broker ends a connection of ours that it does not yet know to be dead
            client_id=self._role.client_id,
            protocol=protocol,
            reconnect_on_failure=False,
        )
        client.will_set(self._role.presence, "offline", qos=1, retain=True)
        client.max_queued_messages_set(_QUEUED_AT_MOST)
        client.max_inflight_messages_set(_UNDER_WAY)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_socket_open = send_at_once
        # with it, publish() leaves all writing to the thread that serves, and only wakes it
        client.on_socket_register_write = lambda *_: None
        return client

    def _connect_properties(self) -> Properties | None:
        if not self._five:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = _PACKET_AT_MOST
        return properties


def send_at_once(client: Client, userdata: Any, sock: Any) -> None:
    """Set TCP_NODELAY on a new connection: Nagle's algorithm would hold messages back for 40 ms now and then."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def acknowledge_at_once(sock: Any) -> None:
    """Let the kernel acknowledge what has just come, to which we have nothing to say.

    Else it waits 40 ms, and a broker with Nagle's algorithm on, as Mosquitto is by default, holds back the next
    command for as long. The kernel forgets it soon, so it is said again each time.
    """
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: not on Linux, or no socket any more
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _reply_to(properties: Properties | None) -> tuple[str | None, bytes | None]:
    response = getattr(properties, "ResponseTopic", None)
    correlation = getattr(properties, "CorrelationData", None)
    return response, bytes(correlation) if correlation is not None else None


def _words(error: Exception) -> str:
    """Return what an error says, without its number."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
