"""Connections that are opened and left so, in any number: the bridge keeps a few, serves others, and never ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.agent import Agent, static
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.process import wait_until

PING, PONG = b"\r\n\r\n", b"\r\n"
MANY = 400
OWN = 3  # files that the bridge may open for itself after it is ready
Bridges = Callable[..., Agent]


class Starved(Agent):
    """A bridge that may have so few files open that connections alone use them up."""

    def argv(self, *words: str) -> list[str | Path]:
        """Return what runs it with that limit."""
        return ["prlimit", "--nofile=100:100", *super().argv(*words)]


@contextmanager
def left_open(port: int, hosts: int, count: int = MANY) -> Iterator[list[socket.socket]]:
    """Make connections from so many addresses in turn, and say nothing on them."""
    with ExitStack() as stack:
        opened = []
        for number in range(count):
            each = stack.enter_context(socket.socket())
            each.settimeout(3.0)
            each.bind((f"127.9.{number % hosts // 250}.{number % hosts % 250 + 1}", 0))
            try:
                each.connect(("127.0.0.1", port))
            except OSError:
                continue
            opened.append(each)
            if number % 50 == 49:
                time.sleep(0.02)  # so that the bridge comes to accept them, and the test not to wait for a second try
        yield opened


def answered(port: int, host: str = "127.0.0.10") -> bool:
    """Whether somebody else is served on a connection of their own."""
    with socket.socket() as other:
        other.settimeout(2.0)
        other.bind((host, 0))
        try:
            other.connect(("127.0.0.1", port))
            other.sendall(PING)
            return other.recv(len(PONG)) == PONG
        except OSError:
            return False


def descriptors(agent: Agent) -> int:
    """Return how many files the bridge has open."""
    return len(list(Path(f"/proc/{agent.pid}/fd").iterdir()))


@pytest.mark.parametrize("hosts", [1, 400])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_connections_left_open_leave_room(bridge: Bridges, tmp_path: Path, transport: str, hosts: int) -> None:
    """From one address or from hundreds, before or after TLS has begun: somebody else connects, and nothing leaks."""
    cert, key = Authority(tmp_path / "authority").issue("bridge", "IP:127.0.0.1")
    plain, secure = free_port(), free_port()
    listen = [f"udp:127.0.0.1:{plain}", f"tcp:127.0.0.1:{plain}", f"tls:127.0.0.1:{secure}"]
    sip = {"listen": listen, "tls": {"cert": str(cert), "key": str(key)}}
    agent = bridge(lines={"a": static("201", free_port())}, sip=sip)
    before = descriptors(agent)
    with left_open(secure if transport == "tls" else plain, hosts):
        wait_until(lambda: descriptors(agent) - before <= (32 if hosts == 1 else 256) + OWN, agent.report)
        assert answered(plain)
    wait_until(lambda: descriptors(agent) <= before + OWN, agent.report)


def test_no_files_left_to_open(tmp_path: Path) -> None:
    """Where the system gives no more descriptors, new connections wait; as soon as there are some, they are taken."""
    with Starved(tmp_path, lines={"a": static("201", free_port())}) as agent:
        with left_open(agent.port, 400, 150):
            wait_until(lambda: descriptors(agent) >= 99, agent.report)
            agent.process.wait_for("no connection can be accepted for now")
        wait_until(lambda: answered(agent.port), agent.report)
