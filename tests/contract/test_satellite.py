"""A satellite: a desk on another Pi, with the same confirmed lamps, through a real broker."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from bridge.commands.model import LoginVerb
from bridge.mqtt.model import MqttSettings
from tests.support.agent import ENVIRONMENT
from tests.support.doors import Door
from tests.support.mosquitto import Mosquitto
from tests.support.office import NOW
from tests.support.process import Process, wait_until
from tests.support.ptypanel import PtyPanel
from tests.support.satellites import CONFIG, LAMP, LINE, MISSED, Outpost
from tests.support.watcher import Watcher
from tests.unit.journal.test_missed import over

P = "cti/home"
ANNA = f"{P}/group/support/member/anna"
PRESENCE = f"{P}/satellite/workshop/state"


def settings(broker: Mosquitto) -> MqttSettings:
    """Return how the bridge reaches a broker."""
    return MqttSettings(broker.host, P, port=broker.port)


def test_a_button_logs_in_and_the_lamp_shows_it_once_confirmed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """On the member's `set` topic, in the owner's name; the bridge's confirmed login is what the lamp shows."""
    with (
        Watcher(mosquitto.host, mosquitto.port, f"{P}/#") as watcher,
        Door(settings(mosquitto)) as door,
        Outpost(tmp_path, mosquitto.url) as outpost,
    ):
        outpost.wait_there()
        outpost.wait_lamp(lit=False)
        outpost.press()
        asked = watcher.wait_for(f"{ANNA}/set")
        assert asked.json["login"] == "ON"
        outpost.wait_lamp(lit=True)
        login = door.bureau.port.login("support", "anna")
        assert (login.logged_in, login.origin, login.by) == (True, "mqtt", "owner")
        outpost.press()
        outpost.wait_lamp(lit=False)
        assert not door.bureau.port.login("support", "anna").logged_in
        said = {heard.topic for heard in watcher.heard if "/satellite/" in heard.topic}
        assert said == {PRESENCE}


def test_what_is_done_elsewhere_shows_at_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A login at any other door; a group that the desk names by its number."""
    with Door(settings(mosquitto)) as door, Outpost(tmp_path, mosquitto.url, group="600") as outpost:
        outpost.wait_there()
        door.submit(LoginVerb.LOGIN, "support", "anna")
        outpost.wait_lamp(lit=True)
        door.submit(LoginVerb.LOGOUT, "support", "anna")
        outpost.wait_lamp(lit=False)


def test_what_was_missed_shows_until_it_is_seen_here(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A call that nobody took lights the lamp; whoever presses that group's button has seen it; the bridge knows."""
    with Door(settings(mosquitto)) as door, Outpost(tmp_path, mosquitto.url) as outpost:
        outpost.wait_there()
        outpost.wait_lamp(False, MISSED)
        door.tell(over("01", NOW - 60))
        outpost.wait_lamp(True, MISSED)
        outpost.press()
        outpost.wait_lamp(False, MISSED)
        assert door.bureau.port.missed("support", "anna") == 0 < door.bureau.port.missed("support", "ben")


def test_what_a_set_topic_has_no_word_for_is_requested(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Holding the button pauses."""
    with Door(settings(mosquitto)) as door, Outpost(tmp_path, mosquitto.url) as outpost:
        outpost.wait_there()
        door.submit(LoginVerb.LOGIN, "support", "anna")
        outpost.wait_lamp(lit=True)
        outpost.press(1.2)
        wait_until(lambda: door.bureau.port.login("support", "anna").paused, "the member is paused")


def test_a_bridge_that_is_gone_shows_on_every_lamp(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """By its will; a press is refused meanwhile; when it is back the lamps show the truth again."""
    argv = [sys.executable, "-m", "tests.support.doors", mosquitto.host, str(mosquitto.port), P]
    with Outpost(tmp_path, mosquitto.url) as outpost:
        with Process(argv) as bridge:
            bridge.wait_for("ready")
            outpost.wait_there()
            outpost.press()
            outpost.wait_lamp(lit=True)
            bridge.end(signal.SIGKILL)
        outpost.wait_there(False)
        outpost.wait_blinking_twice(LAMP, LINE)
        outpost.press()
        with Door(settings(mosquitto)) as door:
            outpost.wait_there()
            outpost.wait_lamp(lit=False)  # this one has kept nothing, and nothing that was refused is done now
            assert not door.bureau.port.login("support", "anna").logged_in


def test_a_broker_that_goes_takes_the_bridge_with_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Nothing is known without it; both come back by themselves."""
    with Door(settings(mosquitto)) as door, Outpost(tmp_path, mosquitto.url) as outpost:
        outpost.wait_there()
        mosquitto.stop(signal.SIGKILL)
        outpost.wait_there(False)
        door.submit(LoginVerb.LOGIN, "support", "anna")
        mosquitto.start()
        outpost.wait_there()
        outpost.wait_lamp(lit=True)


def test_the_process_says_whether_it_is_there_and_serves_the_command_line(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """`cti-bridge run` with [mqtt] and [desks] alone; its will when it is killed."""
    config = tmp_path / "cti-bridge.toml"
    config.write_text(CONFIG.format(broker=mosquitto.url, group="support", member="anna"))
    places: list[str | Path] = [
        "--config",
        config,
        "--state",
        tmp_path / "state",
        "--control",
        tmp_path / "control.sock",
    ]
    cli = [sys.executable, "-m", "bridge.cli"]
    with (
        Watcher(mosquitto.host, mosquitto.port, f"{P}/#") as watcher,
        Door(settings(mosquitto)) as door,
        Process([*cli, "run", "--simulate-hardware", *places], env=ENVIRONMENT) as satellite,
    ):
        satellite.wait_for("^ready")
        assert watcher.wait_for_payload(PRESENCE, "online").retained
        satellite.wait_for("is there")
        with Process([*cli, "login", "support", "anna", *places], env=ENVIRONMENT) as command:
            assert command.wait() == 0, command.report()
        assert door.bureau.port.login("support", "anna").logged_in
        with Process([*cli, "status", "--json", *places], env=ENVIRONMENT) as command:
            assert command.wait() == 0, command.report()
            status = json.loads(command.stdout)
        assert status["links"]["bridge cti/home"]["state"] == "there"
        assert status["groups"]["support"]["members"]["anna"]["login"] == "ON"
        satellite.end(signal.SIGKILL)
        assert watcher.wait_for_payload(PRESENCE, "offline").retained


def test_a_serial_panel_at_a_satellite(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Its key logs in at the bridge, its lamp shows what is confirmed there; `cti-bridge desk` tells of it."""
    place, config, control = tmp_path / "usb-panel", tmp_path / "cti-bridge.toml", tmp_path / "control.sock"
    config.write_text(PANEL.format(broker=mosquitto.url, place=place))
    places: list[str | Path] = ["--config", config, "--state", tmp_path / "state", "--control", control]
    cli = [sys.executable, "-m", "bridge.cli"]
    with (
        PtyPanel(place, keys=4, lamps=2, bytewise=True) as panel,
        Door(settings(mosquitto)) as door,
        Process([*cli, "run", *places], env=ENVIRONMENT) as satellite,
    ):
        satellite.wait_for("is there")
        wait_until(lambda: panel.shows(2) == "steady", "the panel sees the bridge")
        panel.move(1, True)
        wait_until(lambda: b" ack boot=" in panel.heard, "the press is acknowledged")
        panel.move(1, False)
        wait_until(lambda: door.bureau.port.login("support", "anna").logged_in, "logged in at the bridge")
        wait_until(lambda: panel.shows(1) == "steady", "the lamp shows it")
        door.submit(LoginVerb.LOGOUT, "support", "anna")
        wait_until(lambda: panel.shows(1) == "off", "the lamp follows the bridge")
        with Process([*cli, "desk", "list", "--json", *places], env=ENVIRONMENT) as command:
            assert command.wait() == 0, command.report()
            assert str(place) in command.stdout and "toggle support" in command.stdout


PANEL = """\
[mqtt]
broker = "{broker}"
[desks.workshop]
member = "anna"
panel = "{place}"
buttons = [{{ key = 1, press = "toggle support" }}]
lamps = [{{ lamp = 1, shows = "login support" }}, {{ lamp = 2, shows = "bridge" }}]
"""
