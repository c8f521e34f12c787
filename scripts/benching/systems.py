"""What is measured: the bridge with a group of N members, and Sippy's `b2bua_simple`, each pinned to one core."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.agent import group, toml
from tests.support.process import Process, wait_until
from tests.support.sipp import is_bound

ROOT = Path(__file__).resolve().parent.parent.parent
PEER = ROOT / "build" / "bench-peer"
PEER_PACKAGE = "sippy==2.5.0"
CORE = 0
"""The core of the system under test; everything else runs on the others."""


@dataclass(frozen=True)
class Places:
    """The ports of one measurement: the system's own, the member who answers, the others, and the two callers."""

    system: int
    winner: int
    losers: int
    load: int
    probe: int


@dataclass
class System:
    """A program under test. `command` is what starts it once `prepare` has been called."""

    name: str
    members: int
    command: list[str]
    places: Places
    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: Process | None = None
    threads: dict[str, int] = field(default_factory=dict)  # nanoseconds each has run

    def start(self) -> None:
        """Start it, pinned, without waiting for anything."""
        self.threads = {}
        argv = ["taskset", "-c", str(CORE), *self.command]
        self.process = Process(argv, env=self.environment, cwd=self.directory)

    def serve(self) -> None:
        """Start it and wait until it listens."""
        self.start()
        assert self.process is not None
        self.process.serves(lambda: is_bound("127.0.0.1", self.places.system, "udp"), f"{self.name} listens")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.end()
            self.process = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None, f"{self.name} does not run"
        return self.process.pid

    def cpu(self) -> float:
        """Return the seconds of processor time that all its threads have used, those included that have ended since."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
                self.threads[task.name] = int((task / "schedstat").read_text().split()[0])
        return sum(self.threads.values()) / 1e9

    def memory(self) -> float:
        """Return its resident memory in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel does not tell VmRSS")


def bridge(members: int, places: Places, directory: Path) -> System:
    """Return the bridge with group 600 of N members, all of whom ring at once and the first of whom answers."""
    names = [f"m{number}" for number in range(1, members + 1)]
    every = 10_000
    lines = {name: _line(200 + number, places.losers, every) for number, name in enumerate(names, 1)}
    lines["m1"] = _line(201, places.winner, every)
    lines["load"] = _line(301, places.load, every)
    lines["probe"] = _line(302, places.probe, every)
    tables = {
        "sip": {"listen": [f"udp:127.0.0.1:{places.system}"]},
        "lines": lines,
        "groups": {"sales": group("600", *names)},
    }
    return configured(f"bridge, N={members}", members, tables, places, directory)


def configured(name: str, members: int, tables: dict[str, object], places: Places, directory: Path) -> System:
    """Return the bridge with a configuration."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "cti-bridge.toml"
    config.write_text("".join(f"{key} = {toml(table)}\n" for key, table in tables.items()))
    command = [sys.executable, "-m", "bridge.cli", "run", "--config", str(config)]
    command += ["--state", str(directory / "state"), "--control", str(directory / "control.sock")]
    return System(name, members, command, places, directory, {"PYTHONPATH": str(ROOT)})


def sippy(places: Places, directory: Path) -> System:
    """Return Sippy's example B2BUA, which passes every call to one next hop."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(PEER / "bin" / "b2bua_simple"), "-f", "-l", "127.0.0.1", "-p", str(places.system)]
    command += ["-n", f"127.0.0.1:{places.winner}"]
    return System("Sippy, 1:1", 1, command, places, directory, {"SIPLOG_BEND": "none"})


def install_peer() -> None:
    """Install Sippy into a virtual environment of its own, unless it is there."""
    if (PEER / "bin" / "b2bua_simple").exists():
        return
    print(f"Installing {PEER_PACKAGE} into {PEER}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEER], check=True, stdout=subprocess.DEVNULL)
    pip = [str(PEER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, PEER_PACKAGE], check=True, stdout=subprocess.DEVNULL)


def leave_core() -> None:
    """Move this process, and all that it starts from now on, off the core of the system under test."""
    others = os.sched_getaffinity(0) - {CORE}
    if others:
        os.sched_setaffinity(0, others)


def settle(system: System, seconds: float = 10.0) -> None:
    """Wait until the system has nothing to do: less than 1 % of a core in 0.2 s."""

    def idle() -> bool:
        before = system.cpu()
        time.sleep(0.2)
        return system.cpu() - before < 0.005

    wait_until(idle, f"{system.name} has nothing to do", seconds)


def _line(number: int, port: int, calls: int) -> dict[str, object]:
    return {"number": str(number), "contact": f"sip:{number}@127.0.0.1:{port}", "max_calls": calls}
