"""A second client at the broker, who writes down all that is said below a prefix."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.process import PATIENCE


class Heard(NamedTuple):
    """A message as it came; `retained`: as it was published."""

    topic: str
    payload: str
    retained: bool
    correlation: bytes | None

    @property
    def json(self) -> Any:
        """The payload, read."""
        return json.loads(self.payload)


class Watcher:
    """Connected with MQTT 5 between entering and leaving. Everything waited for has a generous deadline."""

    def __init__(self, host: str, port: int, *topics: str, username: str | None = None, password: str | None = None):
        self.heard: list[Heard] = []
        self._topics = topics
        self._news = threading.Condition()
        self._listening = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._subscribe()
        self._client.on_subscribe = lambda *_: self._note(None)
        self._client.on_message = lambda _, __, message: self._note(_heard(message))
        self._client.connect_async(host, port)

    def __enter__(self) -> Watcher:
        self._client.loop_start()
        self._wait(lambda: self._listening, "the watcher is subscribed")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(
        self,
        topic: str,
        payload: str | bytes | dict[str, Any],
        *,
        retain: bool = False,
        response: str | None = None,
        correlation: bytes | None = None,
        wait: bool = True,
    ) -> None:
        """Publish at QoS 1, and return when the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response is not None:
            properties.ResponseTopic = response
        if correlation is not None:
            properties.CorrelationData = correlation
        raw = json.dumps(payload) if isinstance(payload, dict) else payload
        info = self._client.publish(topic, raw, qos=1, retain=retain, properties=properties)
        if wait:
            info.wait_for_publish(PATIENCE)

    def wait_for(self, topic: str, right: Callable[[Heard], object] = lambda _: True, *, after: int = 0) -> Heard:
        """Return the first message on a topic, from the `after`th of all on, that is right; wait for it."""

        def found() -> Heard | None:
            return next((h for h in self.heard[after:] if h.topic == topic and right(h)), None)

        self._wait(found, f"a message on {topic}")
        result = found()
        assert result is not None
        return result

    def wait_for_payload(self, topic: str, payload: str, *, after: int = 0) -> Heard:
        """Wait for a literal payload on a topic."""
        return self.wait_for(topic, lambda heard: heard.payload == payload, after=after)

    def payloads(self, topic: str, *, after: int = 0) -> list[str]:
        """Return what was said on a topic so far."""
        return [heard.payload for heard in self.heard[after:] if heard.topic == topic]

    @property
    def mark(self) -> int:
        """How many messages were heard until now."""
        return len(self.heard)

    def _subscribe(self) -> None:
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        self._client.subscribe([(topic, options) for topic in self._topics])

    def _note(self, heard: Heard | None) -> None:
        with self._news:
            self._listening = True
            if heard is not None:
                self.heard.append(heard)
            self._news.notify_all()

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while not condition():
                left = deadline - time.monotonic()
                said = "\n".join(f"  {h.topic} {h.payload[:200]}" for h in self.heard[-40:])
                assert left > 0, f"not within {PATIENCE:g} s: {what}; heard:\n{said}"
                self._news.wait(left)


def _heard(message: MQTTMessage) -> Heard:
    correlation = getattr(message.properties, "CorrelationData", None)
    return Heard(message.topic, bytes(message.payload).decode("utf-8", "replace"), message.retain, correlation)
