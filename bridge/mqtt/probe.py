"""A short visit to the broker: whether it takes us, and whether somebody listens to what is announced there.

It comes under a name of its own, so that the agent's connection stays, and leaves nothing behind: what it publishes is
empty and not retained, at a place that no device has.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from bridge.mqtt.client import tls_context
from bridge.mqtt.model import MqttSettings

PATIENCE = 5.0  # seconds
_NOBODY_LISTENS = 0x10
_WRONG_VERSION = "Unsupported protocol version"


@dataclass(slots=True)
class Seen:
    """What the broker said. `listened` None: it does not tell; `refused`: why it takes no message of ours."""

    protocol: str
    connected: bool = False
    reason: str = "it does not answer"
    listened: bool | None = None
    refused: str = ""


def probe(settings: MqttSettings) -> Seen:
    """Visit the broker by MQTT 5, by 3.1.1 where it has no more. Raises MqttError for wrong certificates."""
    seen = _visit(settings, MQTTProtocolVersion.MQTTv5, "5")
    if not seen.connected and seen.reason == _WRONG_VERSION:
        return _visit(settings, MQTTProtocolVersion.MQTTv311, "3.1.1")
    return seen


def _visit(settings: MqttSettings, protocol: MQTTProtocolVersion, called: str) -> Seen:
    seen = Seen(called)
    client = Client(CallbackAPIVersion.VERSION2, f"cti-bridge-doctor-{secrets.token_hex(4)}", protocol=protocol)
    context = tls_context(settings)
    if context is not None:
        client.tls_set_context(context)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    ended: list[bool] = []

    def on_connect(_: Client, __: Any, flags: ConnectFlags, code: ReasonCode, properties: Any) -> None:
        seen.connected, seen.reason = not code.is_failure, str(code)
        if code.is_failure:
            ended.append(True)
        else:
            client.publish(f"{settings.discovery_prefix}/device/cti-bridge-doctor/config", b"", qos=1)

    def on_publish(_: Client, __: Any, mid: int, code: ReasonCode, properties: Any) -> None:
        if code.is_failure:
            seen.refused = str(code)
        elif called == "5":
            seen.listened = code.value != _NOBODY_LISTENS
        ended.append(True)

    def on_disconnect(_: Client, __: Any, flags: Any, code: ReasonCode, properties: Any) -> None:
        ended.append(True)

    client.on_connect, client.on_publish, client.on_disconnect = on_connect, on_publish, on_disconnect
    try:
        client.connect(settings.host, settings.port, keepalive=10)
        _loop(client, lambda: bool(ended))
    except (OSError, ValueError) as error:
        seen.reason = str(getattr(error, "strerror", None) or error)
    finally:
        client.disconnect()
    return seen


def _loop(client: Client, ended: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not ended() and time.monotonic() < end:
        if client.loop(timeout=0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
