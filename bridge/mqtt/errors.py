"""What a door to a broker fails with."""

from __future__ import annotations


class MqttError(Exception):
    """An MQTT door that cannot be opened, as `mqtt.key: what is wrong; what would be right`."""
