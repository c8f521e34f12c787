"""SIPp as caller, member, phone or PBX: one scenario, one process, loopback only.

Scenarios are in tests/contract/scenarios, named after what happens in them. What is expected is written there
(the order of `recv`, `ereg` with `check_it`); a scenario that was gone through to its end exits with 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.ports import free_even_port, free_port
from tests.support.process import PATIENCE, Process, wait_until

SCENARIOS = Path(__file__).parent.parent / "contract" / "scenarios"


class Sipp:
    """A running scenario. Use as a context manager, so that it does not outlive its test.

    `remote` is the port (on `remote_host`) that a caller sends to; None for a scenario that begins by receiving.
    `keys` become `[key]` in the scenario, `rows` its injection file (`[field0]`, ...), `auth` a user name and
    password for `[authentication]`. `transport` is "u1" (UDP) or "t1" (TCP, one connection). `talk` is the length
    of pauses in milliseconds. `literal` switches SIPp's own retransmissions off, and its hiding of those that it
    gets: every copy is a message to the scenario. `rtp`: where the scenario says that it receives RTP, a port that
    somebody else listens at.
    """

    def __init__(
        self,
        scenario: str,
        directory: Path,
        *,
        remote: int | None = None,
        remote_host: str = "127.0.0.1",
        service: str = "600",
        host: str = "127.0.0.1",
        port: int | None = None,
        calls: int = 1,
        transport: str = "u1",
        keys: Mapping[str, str | int] | None = None,
        rows: Sequence[Sequence[str]] = (),
        auth: tuple[str, str] | None = None,
        talk: int = 50,
        literal: bool = False,
        rtp: int | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        self.scenario = scenario
        self.host = host
        self.port = port or free_port(host)
        self._logs = directory / f"sipp-{scenario}-{self.port}"
        self._logs.mkdir(parents=True, exist_ok=True)
        argv: list[str | Path] = ["sipp", "-sf", self._script(rtp), "-nostdin", "-skip_rlimit"]
        argv += ["-i", host, "-bind_local", "-p", str(self.port), "-t", transport, "-s", service]
        argv += ["-mi", host, "-mp", str(free_even_port(host, pairs=2)), "-ci", host, "-cp", str(free_port(host))]
        argv += ["-m", str(calls), "-d", str(talk), "-key", "stream", "tcp" if transport.startswith("t") else "udp"]
        argv += ["-trace_err", "-error_file", self._logs / "errors", "-trace_msg", "-message_file"]
        argv += [self._logs / "messages", "-trace_logs", "-log_file", self._logs / "log"]
        argv += ["-timeout", f"{PATIENCE:g}s", "-timeout_error", "-deadcall_wait", "0"]
        for key, value in (keys or {}).items():
            argv += ["-key", key, str(value)]
        if rows:
            argv += ["-inf", self._injection(rows)]
        if auth:
            argv += ["-au", auth[0], "-ap", auth[1]]
        if literal:
            argv += ["-nr"]
        argv += extra
        if remote is not None:
            argv.append(f"{remote_host}:{remote}")
        self.process = Process(argv, env={"TERM": "dumb"}, cwd=self._logs)
        if remote is None:
            stream = "tcp" if transport.startswith("t") else "udp"
            self.process.serves(lambda: is_bound(host, self.port, stream), "SIPp listens")

    def __enter__(self) -> Sipp:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.end()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @property
    def messages(self) -> str:
        """All messages sent and received so far, with SIPp's time stamps."""
        return self._read("messages")

    @property
    def log(self) -> str:
        """What the scenario wrote with its `log` actions."""
        return self._read("log")

    def received(self, pattern: str) -> list[str]:
        """Return the received messages in which a regular expression is found, oldest first."""
        parts = re.split(r"^-{10,} .*$", self.messages, flags=re.MULTILINE)
        bodies = [part.split("\n", 2)[-1].strip() for part in parts if "received" in part[:80]]
        return [body for body in bodies if re.search(pattern, body, re.MULTILINE)]

    def wait_received(self, pattern: str) -> str:
        """Return the first received message in which a pattern is found, as soon as it is there."""
        what = f"{self.scenario} received {pattern!r}"
        wait_until(lambda: self.received(pattern) or not self.process.running, what)
        found = self.received(pattern)
        assert found, f"{what}, but it ended\n{self.report()}"
        return found[0]

    def passed(self, seconds: float = PATIENCE) -> None:
        """Wait until it ends; AssertionError with its errors and messages unless all went as written."""
        code = self.process.wait(seconds)
        assert code == 0, self.report()

    def report(self) -> str:
        """Return everything that tells what happened, for the message of a failure."""
        parts = [f"{self.scenario} (port {self.port}, exit code {self.process.returncode})"]
        parts += [f"--- {name}\n{self._read(name)}" for name in ("errors", "messages")]
        if not self.messages:
            parts.append(self.process.report())
        return "\n".join(parts)

    def _script(self, rtp: int | None) -> Path:
        script = SCENARIOS / f"{self.scenario}.xml"
        if rtp is None:
            return script
        copy = self._logs / script.name
        copy.write_text(script.read_text("utf-8").replace("[media_port]", str(rtp)), "utf-8")
        return copy

    def _injection(self, rows: Sequence[Sequence[str]]) -> Path:
        path = self._logs / "rows.csv"
        path.write_text("SEQUENTIAL\n" + "".join(";".join(row) + "\n" for row in rows))
        return path

    def _read(self, name: str) -> str:
        path = self._logs / name
        return path.read_text("utf-8", "replace") if path.exists() else ""


def is_bound(host: str, port: int, transport: str) -> bool:
    """Whether a program listens on this IPv4 address: told by the kernel's table, without touching the port."""
    number = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    wanted = f"{number}:{port:04X}"
    with open(f"/proc/net/{transport}") as table:
        rows = [line.split() for line in table]
    return any(row[1] == wanted and (transport == "udp" or row[3] == "0A") for row in rows[1:])
