"""What MQTT costs: from a command's publisher to its state at a subscriber, and a connection with 100 members.

The bridge is a process of its own, pinned like every system under test, at a real Mosquitto; who publishes and who
subscribes are clients of their own.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benching.systems import ROOT, Places, System
from bridge.mqtt.session import acknowledge_at_once, send_at_once
from tests.support.agent import static, toml
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port

MEMBERS = 100
PATIENCE = 20.0
APART = 0.03  # seconds between commands: states are gathered for 20 ms, and people do not press faster
P = "cti/bench"
MEMBER = f"{P}/group/sales/member/m1"
LAST = "homeassistant/device/cti_bench_GROUP_sales/config"


@dataclass(frozen=True)
class Effort:
    """How many commands are given, one after the other."""

    commands: int = 500


QUICK = Effort(commands=200)


class Peer:
    """A client that notes when each message came, in seconds of `perf_counter`."""

    def __init__(self, broker: Mosquitto, *topics: str) -> None:
        self.heard: list[tuple[float, str, str]] = []
        self._news = threading.Condition()
        self._topics = topics
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_socket_open = send_at_once
        self._client.on_connect = lambda *_: self._note("connected", "")
        self._client.on_subscribe = lambda *_: self._note("subscribed", "")
        self._client.on_message = lambda _, __, message: self._hear(message)
        self._client.on_publish = lambda client, *_: acknowledge_at_once(client.socket())
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self.wait_for("connected")
        if topics:
            self._client.subscribe([(topic, 1) for topic in topics])
            self.wait_for("subscribed")

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: str) -> float:
        """Publish at QoS 1; return when that began."""
        began = time.perf_counter()
        self._client.publish(topic, payload, qos=1)
        return began

    def wait_for(self, topic: str, right: Callable[[str], object] = lambda _: True, after: int = 0) -> float:
        """Return when the first right message on a topic came, from the `after`th of all on."""
        at = self.hear(topic, right, after)
        assert at is not None, f"nothing on {topic}"
        return at

    def hear(
        self, topic: str, right: Callable[[str], object] = lambda _: True, after: int = 0, patience: float = PATIENCE
    ) -> float | None:
        """Return when it came, None where nothing did for so many seconds."""

        def found() -> float | None:
            return next((at for at, t, payload in self.heard[after:] if t == topic and right(payload)), None)

        with self._news:
            self._news.wait_for(lambda: found() is not None, patience)
            return found()

    def _hear(self, message: MQTTMessage) -> None:
        acknowledge_at_once(self._client.socket())
        self._note(message.topic, bytes(message.payload).decode())

    def _note(self, topic: str, payload: str) -> None:
        with self._news:
            self.heard.append((time.perf_counter(), topic, payload))
            self._news.notify_all()


def numbers(effort: Effort, directory: Path) -> dict[str, float]:
    """Return all measurements of this module."""
    with Mosquitto(directory / "broker") as broker:
        system = _bridge(broker, directory / "mqtt")
        watching = Peer(broker, f"{P}/#", "homeassistant/#")
        system.start()
        try:
            announced = watching.wait_for(LAST)
            first = next(at for at, topic, _ in watching.heard if topic.startswith(P))
            watching.close()
            delays = sorted(_delays(broker, effort.commands))
            rate = _burst(broker, effort.commands)
            memory = system.memory()
        finally:
            system.stop()
    return {
        "MQTT command to state at a subscriber, median, ms": 1000 * statistics.median(delays),
        "MQTT command to state at a subscriber, p99, ms": 1000 * delays[int(0.99 * len(delays))],
        "MQTT commands answered in a burst, 1/s": rate,
        f"MQTT states and discovery of {MEMBERS} members, ms": 1000 * (announced - first),
        f"memory with MQTT and {MEMBERS} members, MiB": memory,
    }


def _delays(broker: Mosquitto, commands: int) -> list[float]:
    """Log a member in and out; return the seconds from publishing to the confirmed state at the other client."""
    asking, watching = Peer(broker), Peer(broker, f"{MEMBER}/state")
    found = []
    for number in range(commands):
        word, seen = ("OFF", "ON")[number % 2 == 0], len(watching.heard)
        began = asking.publish(f"{MEMBER}/set", word)
        came = watching.wait_for(f"{MEMBER}/state", lambda text, word=word: json.loads(text)["login"] == word, seen)
        found.append(came - began)
        time.sleep(APART)
    asking.close()
    watching.close()
    return found


def _burst(broker: Mosquitto, commands: int) -> float:
    """Give commands as fast as they can be published; return how many are answered in a second."""
    asking, watching = Peer(broker), Peer(broker, f"{P}/bridge/response/set")
    began = time.perf_counter()
    for number in range(commands):
        login = ("OFF", "ON")[number % 2]
        asking.publish(f"{MEMBER}/set", json.dumps({"login": login, "transaction": number}))
    last = watching.wait_for(f"{P}/bridge/response/set", lambda text: json.loads(text)["transaction"] == commands - 1)
    asking.close()
    watching.close()
    return commands / (last - began)


def _bridge(broker: Mosquitto, directory: Path) -> System:
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    names = [f"m{number}" for number in range(1, MEMBERS + 1)]
    tables = {
        "site": {"name": "bench"},
        "sip": {"listen": [f"udp:127.0.0.1:{port}"]},
        "lines": {name: static(str(1000 + number), 9, host="127.0.0.1") for number, name in enumerate(names)},
        "users": {name: {"line": name} for name in names},
        "groups": {"sales": {"number": "600", "members": names}},
        "mqtt": {"broker": broker.url},
    }
    config = directory / "cti-bridge.toml"
    config.write_text("".join(f"{name} = {toml(table)}\n" for name, table in tables.items()))
    command = [sys.executable, "-m", "bridge.cli", "run", "--config", str(config)]
    command += ["--state", str(directory / "state"), "--control", str(directory / "control.sock")]
    places = Places(port, port, port, port, port)
    return System("bridge with MQTT", MEMBERS, command, places, directory, {"PYTHONPATH": str(ROOT)})
