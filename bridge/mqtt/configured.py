"""From settings to the broker, as its clients know it."""

from __future__ import annotations

from bridge.config.settings import Settings
from bridge.mqtt.model import MqttSettings


def mqtt_settings(settings: Settings) -> MqttSettings:
    """Return the broker, and what is said there, as its clients know it; the password is in it as plain text."""
    configured = settings.mqtt
    assert configured is not None
    return MqttSettings(
        host=configured.broker.host,
        port=configured.broker.port,
        tls=configured.broker.tls,
        prefix=settings.mqtt_prefix,
        ca=configured.ca,
        cert=configured.cert,
        key=configured.key,
        username=configured.username,
        password=configured.password.reveal() if configured.password else None,
        site=settings.site.name,
        discovery=configured.discovery,
        discovery_prefix=configured.discovery_prefix,
    )
