"""A program under test, pinned to one core; and the bridge as one, with a group of N members."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.agent import group, toml
from tests.support.ports import free_port
from tests.support.process import Process, wait_until
from tests.support.sipp import is_bound

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = 0
"""The core of the system under test; everything else runs on the others."""


@dataclass(frozen=True)
class Places:
    """The ports of one measurement: the system's own, the member who answers, the others, and the three callers."""

    system: int
    winner: int
    losers: int
    load: int
    probe: int
    held: int = 0


def places() -> Places:
    """Return ports that are free."""
    return Places(*(free_port() for _ in range(6)))


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
        """Return the seconds of processor time that it has used, children and threads that have ended included."""
        for pid in self._pids(self.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
                for task in Path(f"/proc/{pid}/task").iterdir():
                    self.threads[task.name] = int((task / "schedstat").read_text().split()[0])
        return sum(self.threads.values()) / 1e9

    def memory(self) -> float:
        """Return its resident memory in MiB; what several processes share counts once."""
        pids = list(self._pids(self.pid))
        if len(pids) > 1:
            return sum(_kibibytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") for pid in pids) / 1024
        return _kibibytes(Path(f"/proc/{self.pid}/status"), "VmRSS:") / 1024

    def _pids(self, pid: int) -> Iterator[int]:
        """Yield its process and all that descend from it."""
        yield pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                for child in (task / "children").read_text().split():
                    yield from self._pids(int(child))


def _kibibytes(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError(f"{path} has no {name}")


def bridge(members: int, places: Places, directory: Path, name: str = "", lines_in_all: int = 10) -> System:
    """Return the bridge with group 600 of N members, all of whom ring at once and the first of whom answers.

    `lines_in_all`: how many are configured at least.
    """
    names = [f"m{number}" for number in range(1, members + 1)]
    every = 10_000
    lines = {name: _line(200 + number, places.losers, every) for number, name in enumerate(names, 1)}
    lines["m1"] = _line(201, places.winner, every)
    lines["load"] = _line(301, places.load, every)
    lines["probe"] = _line(302, places.probe, every)
    lines["held"] = _line(303, places.held, every)
    lines |= {f"more{number}": _line(5000 + number, 9, 1) for number in range(lines_in_all - len(lines))}
    tables = {
        "sip": {"listen": [f"udp:127.0.0.1:{places.system}"]},
        "lines": lines,
        "groups": {"sales": group("600", *names)},
    }
    return configured(name or f"bridge, N={members}", members, tables, places, directory)


def configured(name: str, members: int, tables: dict[str, object], places: Places, directory: Path) -> System:
    """Return the bridge with a configuration."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "cti-bridge.toml"
    config.write_text("".join(f"{key} = {toml(table)}\n" for key, table in tables.items()))
    command = [sys.executable, "-m", "bridge.cli", "run", "--config", str(config)]
    command += ["--state", str(directory / "state"), "--control", str(directory / "control.sock")]
    return System(name, members, command, places, directory, {"PYTHONPATH": str(ROOT)})


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
