"""What desks cost: from a button to its lamp and to MQTT, from a panel's key to its lamp, lamps that blink, and rest.

The bridge is a process of its own, pinned like every system under test, with simulated buttons and lamps in a terminal
of its own and a panel at a pseudo terminal; keys are typed and frames are written, lamps are read as they come.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import time
import tty
from dataclasses import dataclass
from pathlib import Path

from benching.broker import Peer
from benching.systems import CORE, ROOT
from bridge.control.client import Agent
from hardware.panel_protocol import Frame, Lines, write
from tests.support.agent import static, toml
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.process import wait_until

STABLE = 25.0  # ms that a button has to be stable; they are no delay of ours
LAMPS = 20
PATIENCE = 10.0
PREFIX = "cti/bench"
STATE = f"{PREFIX}/group/sales/member/anna/state"


@dataclass(frozen=True)
class Effort:
    """How often a button is pressed, and for how many seconds is watched what idling and blinking cost."""

    presses: int = 80
    watch: float = 10.0


QUICK = Effort(presses=20, watch=3.0)


def numbers(effort: Effort, directory: Path) -> dict[str, float]:
    """Measure all of it."""
    found: dict[str, float] = {}
    with _Bridge(directory / "button", _button_desk()) as bridge:
        delays = [bridge.press_and_look() for _ in range(effort.presses)]
        found |= _spread("button to lamp, logged out, confirmed", [d - STABLE for d in delays])
    with Mosquitto(directory / "broker") as broker, _Bridge(directory / "both", _button_desk(), broker.url) as bridge:
        found |= _spread("button to MQTT state at a subscriber", _to_subscriber(bridge, broker, effort.presses))
    panel = _Panel()
    with _Bridge(directory / "panel", _panel_desk(panel.path)) as bridge:
        panel.meet()
        found |= _spread("key frame to lamp frame, confirmed", [panel.press() for _ in range(effort.presses)])
    panel.close()
    with _Bridge(directory / "lamps", _lamp_desk()) as bridge:
        time.sleep(1.0)
        found["idle CPU with a desk, %"], found["idle wake-ups a second"] = bridge.cost(effort.watch)
        with Agent(bridge.control) as agent:
            agent.request("desk_try", {"signal": "blink slow", "seconds": 0.1})
            found[f"CPU with {LAMPS} lamps blinking fast, %"] = _blinking(bridge, agent, "blink fast", effort)
            found[f"CPU with {LAMPS} lamps blinking slowly, %"] = _blinking(bridge, agent, "blink slow", effort)
    return found


def _to_subscriber(bridge: _Bridge, broker: Mosquitto, presses: int) -> list[float]:
    """Press again and again; return the milliseconds from each press to the state that a client of the broker gets."""
    watching = Peer(broker, STATE)
    watching.wait_for(STATE)
    delays = []
    while len(delays) < presses:
        seen = len(watching.heard)
        pressed = time.perf_counter()
        bridge.press()
        shown = watching.hear(STATE, after=seen, patience=1.0)
        if shown is not None:  # else the button was still down from before
            delays.append(1000 * (shown - pressed) - STABLE)
    watching.close()
    return delays


def _blinking(bridge: _Bridge, agent: Agent, signal: str, effort: Effort) -> float:
    """Return the share of a core while all lamps blink; the request is answered when that is over."""
    seconds = min(effort.watch, 10.0)
    before, began = bridge.cpu(), time.monotonic()
    agent.request("desk_try", {"signal": signal, "seconds": seconds})
    return 100 * (bridge.cpu() - before) / (time.monotonic() - began)


def _spread(what: str, delays: list[float]) -> dict[str, float]:
    return {
        f"{what}, p50, ms": statistics.median(delays),
        f"{what}, p99, ms": statistics.quantiles(delays, n=100)[98],
    }


def _button_desk() -> dict[str, object]:
    button = {"gpio": 17, "press": "toggle sales"}
    return {"member": "anna", "buttons": [button], "lamps": [{"gpio": 27, "shows": "login sales"}]}


def _panel_desk(path: str) -> dict[str, object]:
    button = {"key": 1, "press": "toggle sales"}
    return {"member": "anna", "panel": path, "buttons": [button], "lamps": [{"lamp": 1, "shows": "login sales"}]}


def _lamp_desk() -> dict[str, object]:
    pins = [pin for pin in range(28) if pin not in (2, 3, 14, 15)][:LAMPS]
    return {
        "member": "anna",
        "buttons": [{"gpio": 27, "press": "toggle sales"}],
        "lamps": [{"gpio": pin, "shows": "login sales"} for pin in pins],
    }


class _Bridge:
    """A bridge with one desk, in a terminal of its own. Use as a context manager."""

    def __init__(self, directory: Path, desk: dict[str, object], broker: str | None = None) -> None:
        directory.mkdir(parents=True)
        self.control = directory / "control.sock"
        self._config = directory / "cti-bridge.toml"
        tables = {
            "sip": {"listen": [f"udp:127.0.0.1:{free_port()}"]},
            "lines": {"anna": static("201", 9)},
            "users": {"anna": {"line": "anna"}},
            "groups": {"sales": {"number": "600", "members": ["anna"]}},
            "desks": {"anna": desk},
            **({"mqtt": {"broker": broker, "prefix": PREFIX}} if broker else {}),
        }
        self._config.write_text("".join(f"{name} = {toml(table)}\n" for name, table in tables.items()))
        self._argv = ["taskset", "-c", str(CORE), sys.executable, "-m", "bridge.cli", "run"]
        self._argv += ["--config", str(self._config), "--state", str(directory), "--control", str(self.control)]
        if "panel" not in desk:
            self._argv.append("--simulate-hardware")
        self._seen = b""

    def __enter__(self) -> _Bridge:
        self._master, slave = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            self._argv, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, env=environment
        )
        os.close(slave)
        if not self._until(b"ready"):
            raise RuntimeError(f"the bridge is not ready: {self._seen!r}")
        wait_until(self.control.exists, "the bridge serves")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._master)

    def press_and_look(self) -> float:
        """Log in by the button, then out; return the milliseconds from the second press to the dark lamp."""
        while not self._press_until("●"):
            pass
        began = time.monotonic()
        while not self._press_until("○"):
            began = time.monotonic()  # the button was still down from before
        return 1000 * (self._shown - began)

    def _press_until(self, lamp: str) -> bool:
        """Press; return whether the lamp is then shown so, once the button is let go."""
        self._seen = b""
        os.write(self._master, b"1")
        shown = self._until(lamp.encode(), 1.0)
        self._shown = time.monotonic()
        time.sleep(0.25)  # the button is let go
        while select.select([self._master], [], [], 0)[0]:
            os.read(self._master, 65536)
        return shown

    def press(self) -> None:
        """Press the button, and wait until it is let go."""
        os.write(self._master, b"1")
        time.sleep(0.3)
        while select.select([self._master], [], [], 0)[0]:
            os.read(self._master, 65536)

    def cpu(self) -> float:
        """Return the seconds of processor time that all its threads have used."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks()) / 1e9

    def cost(self, seconds: float) -> tuple[float, float]:
        """Return the share of a core, in percent, and how often it was woken a second."""
        before, wakes, began = self.cpu(), self._wakes(), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        return 100 * (self.cpu() - before) / passed, (self._wakes() - wakes) / passed

    def _tasks(self) -> list[Path]:
        return list(Path(f"/proc/{self._process.pid}/task").iterdir())

    def _wakes(self) -> int:
        lines = [line for task in self._tasks() for line in (task / "status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    def _until(self, wanted: bytes, seconds: float = PATIENCE) -> bool:
        deadline = time.monotonic() + seconds
        while wanted not in self._seen:
            if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return False
            self._seen += os.read(self._master, 65536)
        return True


class _Panel:
    """A panel of the fewest words: one key, one lamp, no delay of its own."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._lines = Lines()
        self._waiting: list[Frame] = []
        self._seq = 0

    def close(self) -> None:
        """Pull it."""
        os.close(self._slave)
        os.close(self._master)

    def meet(self) -> None:
        """Say hello and be welcomed."""
        fields = (("proto", 1), ("fw", "bench"), ("id", "bench"), ("keys", 1), ("lamps", 1), ("boot", "b"), ("seq", 0))
        self._say(0, "hello", (*fields, ("down", 0)))
        while self._hear().verb != "welcome":
            pass
        self._lamp()

    def press(self) -> float:
        """Press and let go; return the milliseconds from the key's frame to the lamp's that shows how it ended."""
        began = time.monotonic()
        self._key("down")
        while self._lamp() not in ("steady", "off"):
            pass
        passed = 1000 * (time.monotonic() - began)
        self._key("up")
        time.sleep(0.11)  # faster presses are not believed
        return passed

    def _key(self, verb: str) -> None:
        self._seq += 1
        self._say(self._seq, verb, (("key", 1), ("age", 0)))

    def _lamp(self) -> str:
        """Return what the lamp is next told to show, and confirm it."""
        while (frame := self._hear()).verb != "lamp":
            if frame.verb == "who":
                raise RuntimeError("the bridge has forgotten the panel")
        self._say(frame.seq, "ack")
        return frame.text("show")

    def _say(self, seq: int, verb: str, fields: tuple[tuple[str, object], ...] = ()) -> None:
        os.write(self._master, write(seq, verb, fields))

    def _hear(self) -> Frame:
        while not self._waiting:
            if not select.select([self._master], [], [], PATIENCE)[0]:
                raise RuntimeError("the bridge says nothing to the panel")
            self._waiting = self._lines.feed(os.read(self._master, 4096))
        return self._waiting.pop(0)
