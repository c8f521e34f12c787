"""Brokers of all kinds: with users, with TLS, with rules, old ones, and such as no broker should be."""

from __future__ import annotations

import dataclasses
import gc
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.commands.model import LoginVerb
from bridge.events import Notice
from bridge.mqtt.client import BrokerClient, Owner
from bridge.mqtt.errors import MqttError
from bridge.mqtt.model import MqttSettings, Role
from tests.support.agent import Agent
from tests.support.brokers import PUBLISH, SUBSCRIBE, Broker, deaf, only_311, says
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.process import Process, wait_until
from tests.support.watcher import Watcher

P = "cti/home"


def told(door: Door) -> list[str]:
    """Return the door's own events."""
    return [event.text for event in door.bureau.events if isinstance(event, Notice)]


def test_user_and_password(tmp_path: Path) -> None:
    """With the right password it is connected; with a wrong one it says so, once, and goes on trying."""
    with Mosquitto(tmp_path, users={"cti": "secret"}) as broker:
        right = MqttSettings(broker.host, P, port=broker.port, username="cti", password="secret")
        wrong = dataclasses.replace(right, prefix="cti/other", password="secrets")
        with Door(right), Door(wrong, wait_connected=False) as refused:
            wait_until(lambda: refused.link.state == "away", "the door has tried")
            assert refused.link.reason == "the broker refuses the connection: Not authorized"
            wait_until(lambda: broker.process.output.count("New client connected") >= 1, "the right one is in")
            assert told(refused) == [f"mqtt://127.0.0.1:{broker.port}: away: {refused.link.reason}"]
            assert "secret" not in repr(right)


def test_a_broker_whose_rules_forbid_it_is_told_of(tmp_path: Path) -> None:
    """Connected, but what is published is refused: `status` shows why nobody sees anything."""
    with (
        Mosquitto(tmp_path, acl="topic read nothing\n") as broker,
        Door(MqttSettings(broker.host, P, broker.port)) as door,
    ):
        wait_until(lambda: not door.link.fine, "the door has noticed")
        assert door.link.state == "connected"
        allow = f"its ACL has to allow {P}/# and homeassistant/#"
        assert door.link.reason == f"the broker refuses what is published (Not authorized); {allow}"


REFUSALS = {"says so": b"\x20\x02\x00\x01", "hangs up": b""}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_broker_of_mqtt_311_is_spoken_to_in_its_own_tongue(refusal: str) -> None:
    """Whether it says that it knows no MQTT 5, or hangs up instead; at once, with everything said."""
    with Broker(only_311(REFUSALS[refusal])) as broker, Door(broker.settings):
        assert broker.levels == [5, 4]
        wait_until(lambda: any(k & 0xF0 == PUBLISH and b"online" in b for k, b in broker.heard), "everything is said")
        assert any(kind & 0xF0 == SUBSCRIBE for kind, _ in broker.heard)


def test_a_broker_that_says_nothing_is_left_alone(tmp_path: Path) -> None:
    """It takes the connection and never answers: nothing waits for it, and the agent ends all the same."""
    with Broker(deaf) as broker, Door(broker.settings, wait_connected=False) as door:
        wait_until(lambda: broker.connections == 1, "the door knocks")
        began = time.monotonic()
        assert door.submit(LoginVerb.LOGIN, "support", "anna").ok
        assert not door.link.fine
    assert time.monotonic() - began < 10.0


MAD = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x00" * 64,
    b"\xff" * 64,
    b"\x20\x03\x00\x00\xff",  # CONNACK whose properties are longer than itself
    b"\x20\x01\x00",
    b"\x20\x05\x00\x00\x02\x99\x01",  # a property that does not exist
    b"\x20\x03\x00\x00\x00" + b"\x30\x05\x00\x03\xff\xfe\xfd",  # connected; a topic that is no UTF-8
    b"\x20\x03\x00\x00\x00" + b"\x32\x02\x00\x00",  # connected; a PUBLISH that ends before its id
    b"\x20\x03\x00\x00\x00" + b"\x90\x01\x00" + b"\x40\x00",  # connected; half a SUBACK, an empty PUBACK
)


def test_nothing_that_a_broker_sends_ends_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told, and tried again; the rest of the bridge does not notice."""
    monkeypatch.setattr("bridge.mqtt.client.FIRST_DELAY", 0.01)
    monkeypatch.setattr("bridge.mqtt.client.LONGEST_DELAY", 0.01)
    with Broker(says(*MAD)) as broker, Door(broker.settings, wait_connected=False) as door:
        wait_until(lambda: broker.connections >= 2 * len(MAD), "every answer has been had twice")
        assert door.submit(LoginVerb.LOGIN, "support", "anna").ok


def test_no_connection_leaves_anything_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a broker goes, what belonged to the connections with it is closed, and waits for no collector."""
    monkeypatch.setattr("bridge.mqtt.client.FIRST_DELAY", 0.01)
    monkeypatch.setattr("bridge.mqtt.client.LONGEST_DELAY", 0.01)

    def sockets() -> int:
        found = 0
        for each in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                found += os.readlink(each).startswith("socket:")
        return found - broker.connections  # whose other ends are kept here

    stays = b"\x20\x03\x00\x00\x00"  # connected, and over: says nothing more
    with Broker(says(stays)) as broker, Door(broker.settings, wait_connected=False):
        gc.collect()
        gc.disable()
        try:
            wait_until(lambda: broker.connections >= 3, "it has connected")
            before = sockets()
            wait_until(lambda: broker.connections >= 40, "it has connected often")
            wait_until(lambda: sockets() <= before + 6, lambda: f"{sockets()} are open, {before} before")
        finally:
            gc.enable()


# -- TLS ----------------------------------------------------------------------------------------------------------


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate that is its own authority; return it and its key."""
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *words, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


@contextmanager
def tls_in_front_of(broker: Mosquitto, cert: Path, key: Path, client: Path, port: int = 0) -> Iterator[int]:
    """Put TLS that asks for a client's certificate before a broker; yield the port, one of its own for 0."""
    port = port or free_port()
    tls = f"OPENSSL-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,cert={cert},key={key},cafile={client},verify=1"
    with Process(["socat", "-d", "-d", tls, f"TCP:127.0.0.1:{broker.port}"]) as socat:
        socat.wait_for("listening on")
        yield port


# paho leaves a socket whose handshake has failed to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_authority_and_client_certificate(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The broker is known by its CA and knows the bridge by its certificate."""
    cert, key = certificate(tmp_path, "broker")
    own, own_key = certificate(tmp_path, "bridge")
    with tls_in_front_of(mosquitto, cert, key, own) as port:
        known = MqttSettings("127.0.0.1", P, port, tls=True, ca=cert, cert=own, key=own_key)
        with Watcher(mosquitto.host, mosquitto.port, f"{P}/#") as watcher, Door(known) as door:
            assert door.link.fine
            watcher.wait_for_payload(f"{P}/bridge/state", "online")
        stranger = MqttSettings("127.0.0.1", "cti/other", port, tls=True, cert=own, key=own_key)
        with Door(stranger, wait_connected=False) as refused:
            wait_until(lambda: refused.link.state == "away", "the door has tried")
            assert refused.link.reason.startswith("the broker's certificate is not accepted: self")


def test_a_new_certificate_of_ours(mosquitto: Mosquitto, bridge: Callable[..., Agent], tmp_path: Path) -> None:
    """SIGHUP reads it anew from the same files, for the next connection; one that cannot be used changes nothing."""
    cert, key = certificate(tmp_path, "broker")
    own, own_key = certificate(tmp_path, "bridge")
    port = free_port()
    mqtt = {"broker": f"mqtts://127.0.0.1:{port}", "ca": str(cert), "cert": str(own), "key": str(own_key)}

    def state(agent: Agent) -> str:
        return str(agent.ask("status")["links"]["mqtt"]["state"])

    with tls_in_front_of(mosquitto, cert, key, own, port):
        agent = bridge(mqtt=mqtt)
        wait_until(lambda: state(agent) == "connected", agent.report)
        old = own.read_text()
        own.write_text("nothing")
        assert "the one before stays: mqtt.cert" in agent.reload(mqtt=mqtt)
        own.write_text(old)
        assert state(agent) == "connected"
        mosquitto.stop()  # what stands before it ends a connection with it alone
        wait_until(lambda: state(agent) == "away", agent.report)
    mosquitto.start()
    certificate(tmp_path, "bridge")
    with tls_in_front_of(mosquitto, cert, key, own, port):
        assert "is in force" in agent.reload(mqtt=mqtt)
        wait_until(lambda: state(agent) == "connected", agent.report)
        mosquitto.stop()
        wait_until(lambda: state(agent) == "away", agent.report)


def test_certificates_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    """With the key path, before anything is connected."""
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    own, _ = certificate(tmp_path, "bridge")
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"ca": nothing}, "mqtt.ca"),
        ({"cert": own, "key": nothing}, "mqtt.cert"),
    ]
    for wrong, key in mistakes:
        settings = dataclasses.replace(MqttSettings("127.0.0.1", P, tls=True), **wrong)
        with pytest.raises(MqttError, match=rf"^{key}: .*nothing\.pem.* is not usable"):
            _ = BrokerClient(settings, cast(Role, None), cast(Owner, None), lambda: 0.0)
