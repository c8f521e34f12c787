"""What an agent does not import: memory and start-up time go with what is configured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agent import ENVIRONMENT, static, toml
from tests.support.ports import free_port

NEVER = (
    "pydantic",
    "pydantic_core",
    "bridge.config.load",
    "tomllib",
    "rich",
    "pyVoIP",
    "multiprocessing",
    "xml",
)
"""What reads the configuration, what commands draw with, what needs a second thought on a small machine."""
BROKER = ("paho", "bridge.mqtt.door", "bridge.mqtt.model")
DESKS = ("gpiozero", "serial", "bridge.desk.desk", "bridge.desk.model", "hardware")
METRICS = ("bridge.upkeep.meter", "bridge.upkeep.metrics")

RUN = """
import atexit, os, signal, sys
from bridge.cli.main import main
import bridge.cli.run
bridge.cli.run._ready = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
atexit.register(lambda: print(*sorted(sys.modules)))
sys.exit(main(sys.argv[1:]))
"""


def imported(directory: Path, **tables: object) -> list[str]:
    """Return the modules that an agent with this configuration has imported when it has served and ended."""
    sip = {"listen": [f"udp:127.0.0.1:{free_port()}"]}
    lines = {"anna": static("201", 9)}
    groups = {"sales": {"number": "600", "members": ["anna"]}}
    every = {"sip": sip, "lines": lines, "groups": groups, **tables}
    config = directory / "cti-bridge.toml"
    config.write_text("".join(f"{key} = {toml(table)}\n" for key, table in every.items()))
    argv = ["run", "--config", str(config), "--state", str(directory / "state"), "--control", str(directory / "socket")]
    done = subprocess.run([sys.executable, "-c", RUN, *argv], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def among(modules: list[str], *unwanted: str) -> list[str]:
    """Return those of the unwanted that are there."""
    return [name for name in unwanted if any(m == name or m.startswith(f"{name}.") for m in modules)]


def test_a_plain_bridge(tmp_path: Path) -> None:
    """Lines and a group: no broker, no desk, no names to be resolved, no numbers for Prometheus."""
    modules = imported(tmp_path)
    assert "bridge.calls.exchange" in modules
    assert among(modules, *NEVER, *BROKER, *DESKS, *METRICS, "dns", "http", "urllib.request") == []


@pytest.mark.parametrize(
    ("tables", "wanted", "unwanted"),
    [
        pytest.param(lambda: {"metrics": {"port": free_port()}}, METRICS, (*BROKER, *DESKS), id="metrics"),
        pytest.param(lambda: {"mqtt": {"broker": "mqtt://127.0.0.1:9"}}, BROKER, (*DESKS, *METRICS), id="broker"),
    ],
)
def test_only_what_is_configured(
    tmp_path: Path, tables: Callable[[], dict[str, object]], wanted: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    """A part that is configured is there, the others are not."""
    modules = imported(tmp_path, **tables())
    assert among(modules, *wanted) == list(wanted)
    assert among(modules, *NEVER, *unwanted) == []
