"""The bridge itself as a process, with a configuration written for one test."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.control.reach import reach
from tests.support.networks import Host
from tests.support.ports import WORKER, free_port
from tests.support.process import PATIENCE, Process, wait_until

Table = Mapping[str, Any]

PORTS = 200  # of the relay, as the default has
RTP_PORTS = [16384 + PORTS * WORKER, 16383 + PORTS * (WORKER + 1)]
"""Tests that run at the same time share no ports of the relay, so that a bridge finds its own free when it is back."""

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parent.parent.parent), "PYTHONWARNINGS": "default"}
"""The checkout's own code, wherever the process runs; warnings are said, so that they are seen."""


def toml(value: object) -> str:
    """Write one value as TOML, tables inline; None is not a value of TOML."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key))} = {toml(each)}" for key, each in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def static(number: str, port: int, *, host: str = "127.0.0.1", transport: str = "udp", **more: Any) -> Table:
    """Return a line whose phone stands at a fixed place."""
    suffix = ";transport=tcp" if transport == "tcp" else ""
    return {"number": number, "contact": f"sip:{number}@{host}:{port}{suffix}", **more}


def group(number: str, *members: str, always: bool = True, **more: Any) -> Table:
    """Return a hunt group of lines without users; `always`: they are logged in from the start."""
    listed = [{"line": name, "login": "always"} if always else name for name in members]
    return {"number": number, "members": listed, **more}


class Agent:
    """A running bridge on loopback, UDP and TCP on the same port. Use as a context manager.

    The keyword arguments are the configuration's tables: `lines`, `groups`, `trunks`, `users`, `mqtt`, `desks`,
    and `sip` for what is to stand beside `listen`. `ended_cleanly` says what every test ends with: SIGTERM ends the
    agent with code 0, and no traceback was seen.

    `on`: the host that it runs on, at port 5060 of all addresses; None: this machine. `constants` are changed in the
    code before it runs, `{"bridge.sip.openings.EVERY": 1}`, where a test cannot wait as long as people can.
    """

    def __init__(
        self, directory: Path, *, on: Host | None = None, constants: Mapping[str, object] | None = None, **tables: Table
    ) -> None:
        self.directory = directory
        self._on = on
        self._constants = dict(constants or {})
        self.config = directory / "cti-bridge.toml"
        self.state = directory / "state"
        self.control = directory / "control.sock"
        directory.mkdir(parents=True, exist_ok=True)
        for last in (False, False, True):
            self.port = free_port() if on is None else 5060
            self.configure(**tables)
            try:
                self.start()
            except AssertionError:
                # On a busy machine another program may be given the very port before the agent takes it.
                if last or f":{self.port} is in use" not in self.process.output:
                    raise
            else:
                break

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.ended_cleanly()
        elif self.process.running:
            self.process.end()

    @property
    def pid(self) -> int:
        """The agent's process id."""
        return self.process.pid

    def configure(self, **tables: Table) -> None:
        """Write the configuration; it is read at the next start or `reload`."""
        where = "127.0.0.1" if self._on is None else "[::]"
        listen = [f"udp:{where}:{self.port}", f"tcp:{where}:{self.port}"]
        every = {
            "site": {"name": "test"},
            **tables,
            "sip": {"listen": listen, "rtp_ports": RTP_PORTS, **tables.get("sip", {})},
        }
        lines = []
        for name, table in every.items():
            lines.append(f"[{name}]")
            lines += [f"{json.dumps(str(key))} = {toml(value)}" for key, value in table.items()]
        self.config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        argv = list(map(str, self.argv("run")))
        if self._constants:
            argv[1:3] = ["-c", _changing(self._constants)]
        if self._on is not None:
            argv = self._on.argv(*argv)
        self.process = Process(argv, env=ENVIRONMENT, cwd=self.directory)
        try:
            self.process.wait_for("^ready")
        except BaseException:
            self.process.end()
            raise

    def reload(self, **tables: Table) -> str:
        """Write the configuration and have it read with SIGHUP; return the line that tells how that went."""
        self.configure(**tables)
        said = self.process.output.count("the new configuration is ")
        os.kill(self.pid, signal.SIGHUP)
        wait_until(
            lambda: self.process.output.count("the new configuration is ") > said or not self.process.running,
            lambda: f"the configuration is read again\n{self.report()}",
        )
        assert self.process.running, self.report()
        return [line for line in self.process.output.splitlines() if "the new configuration is " in line][-1]

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, nothing is said or written any more."""
        self.process.end(signal.SIGKILL)

    def ended_cleanly(self) -> None:
        """End it with SIGTERM; AssertionError unless it still ran, ends with 0, and had no traceback."""
        assert self.process.running, f"the agent has ended before its time\n{self.process.report()}"
        code = self.process.end()
        assert code == 0, f"SIGTERM ended the agent with {code}\n{self.process.report()}"
        assert "Traceback" not in self.process.output, self.process.report()

    # -- through its control socket ---------------------------------------------------------------------------

    def cli(self, *words: str, code: int = 0) -> Any:
        """Run `cti-bridge WORDS --json`, expect this exit code; return the JSON that it printed, or None."""
        with Process(self.argv(*words, "--json"), env=ENVIRONMENT) as command:
            ended = command.wait()
            said = command.stdout.strip()
            assert ended == code, f"{command.report()}\n{self.report()}"
        return json.loads(said) if said else None

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Ask over the control socket as `cti-bridge VERB` does, without its start-up; return the answer's data."""
        request = json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(PATIENCE)
            with reach(self.control) as name:
                door.connect(name)
            door.sendall(request)
            with door.makefile("rb") as lines:
                answer = json.loads(lines.readline())
        assert answer["status"] == "ok", f"{verb} {arguments}: {answer}\n{self.report()}"
        return answer["data"]

    def login(self, group: str, *members: str) -> None:
        """Log members in; they are when this returns."""
        for member in members:
            self.ask("login", group=group, member=member)

    def logout(self, group: str, *members: str) -> None:
        """Log members out; they are when this returns."""
        for member in members:
            self.ask("logout", group=group, member=member)

    def wait_idle(self, seconds: float = PATIENCE) -> None:
        """Wait until no call is up any more."""
        wait_until(lambda: not self.ask("calls")["calls"], lambda: f"no call is up\n{self.report()}", seconds)

    def report(self) -> str:
        """Return the configuration and what the agent has said, for the message of a failure."""
        return f"--- {self.config}\n{self.config.read_text()}---\n{self.process.report()}"

    def argv(self, *words: str) -> list[str | Path]:
        """Return what runs `cti-bridge WORDS` against this agent."""
        places: list[str | Path] = ["--config", self.config, "--state", self.state, "--control", self.control]
        return [sys.executable, "-m", "bridge.cli", *words, *places]


def _changing(constants: Mapping[str, object]) -> str:
    """Return a program that runs `cti-bridge` with some constants changed."""
    lines = ["import sys"]
    for path, value in constants.items():
        module, _, name = path.rpartition(".")
        lines += [f"import {module}", f"assert hasattr({module}, {name!r})", f"{module}.{name} = {value!r}"]
    return "\n".join([*lines, "from bridge.cli import __main__"])
