"""What the MQTT door is told, and what it hears, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """A broker, and the prefix of all topics. `ca` None: the machine's own; `keepalive` is seconds.

    `site` is what Home Assistant's entity ids begin with; `discovery` is a `discovery.Style`.
    """

    host: str
    prefix: str
    port: int = 1883
    tls: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive: int = 30
    site: str = "home"
    discovery: str = "device"
    discovery_prefix: str = "homeassistant"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Role:
    """As what a client comes to the broker.

    `presence` is the topic that says `offline`, retained, when it is gone; `listens` are filters, for as long as a
    connection stands. `keeps` tells, for a topic, of how many bytes a payload may be to be kept; None: a message
    there is nothing to this client, and is dropped where it comes in.
    """

    client_id: str
    presence: str
    listens: tuple[str, ...]
    keeps: Callable[[str], int | None]
    writes: str  # what the broker has to allow it to publish, in words for people


@dataclass(frozen=True, slots=True)
class Message:
    """A message that came in. `payload` is None where it was too large to be kept; `size` is bytes.

    `response_topic` and `correlation` are MQTT 5's, None where there are none.
    """

    topic: str
    payload: bytes | None
    size: int
    retained: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
