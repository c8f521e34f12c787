"""What the MQTT door is told, and what it hears, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """A broker, and the prefix of all topics. `ca` None: the machine's own; `keepalive` is seconds."""

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

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


class MqttError(Exception):
    """An MQTT door that cannot be opened, as `mqtt.key: what is wrong; what would be right`."""


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
