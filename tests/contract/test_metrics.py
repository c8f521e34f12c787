"""Numbers for Prometheus, over HTTP."""

from __future__ import annotations

import os
import re
import resource
import socket
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from bridge.upkeep.meter import CONNECTIONS_AT_MOST
from tests.support.agent import ENVIRONMENT, Agent, group, static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_port
from tests.support.process import PATIENCE, Process, wait_until

Bridges = Callable[..., Agent]
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (-?[0-9.e+-]+)')


@pytest.fixture
def office(bridge: Bridges) -> tuple[Agent, int]:
    """A bridge that is asked for numbers, and where."""
    port = free_port()
    agent = bridge(
        metrics={"port": port},
        lines={"m": static("201", free_port())},
        groups={"support": group("600", "m"), "night": group("601")},
    )
    return agent, port


def read(port: int) -> dict[str, float]:
    """Return every sample, by its name and labels; AssertionError where a line is none of the format."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = answer.read().decode().splitlines()
    found, kinds = {}, {}
    for line in lines:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample[1] in kinds, f"{line} comes before its type"
            found[line.rpartition(" ")[0]] = float(sample[3])
    assert all((kind == "counter") == name.endswith("_total") for name, kind in kinds.items())
    return found


def raw(port: int, request: bytes) -> bytes:
    """Return what is answered to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(request)
        peer.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: peer.recv(65536), b""))


def test_the_state_of_everything_is_a_number(office: tuple[Agent, int]) -> None:
    """Groups, members, lines, calls and the process, as `status` tells them; they follow what happens."""
    agent, port = office
    found = read(port)
    assert found['cti_bridge_group_members{group="support"}'] == 1
    assert found['cti_bridge_group_logged_in{group="support"}'] == 1
    assert found['cti_bridge_group_members{group="night"}'] == 0
    assert found['cti_bridge_line_state{line="m",state="idle"}'] == 1
    assert found['cti_bridge_member_logged_in{group="support",member="m"}'] == 1
    assert found['cti_bridge_member_paused{group="support",member="m"}'] == 0
    assert found['cti_bridge_calls{state="connected"}'] == 0
    assert found["cti_bridge_resident_memory_bytes"] > 10_000_000
    assert found["cti_bridge_in_use_legs"] == 0 < found["cti_bridge_in_use_tasks"]
    agent.ask("pause", group="support", member="m")
    assert read(port)['cti_bridge_member_paused{group="support",member="m"}'] == 1


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
        (b"\xff\xfe\x00 \x00 HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"GET /metrics HTTP/1.1\r\n", b""),
        (b"x" * 20_000, b""),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 200"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"),
    ],
)
def test_whatever_is_asked_has_its_answer(office: tuple[Agent, int], request_: bytes, answer: bytes) -> None:
    """One page, GET and HEAD; nothing else does any harm."""
    _, port = office
    said = raw(port, request_)
    assert said.startswith(answer) and (answer or not said)
    if request_.startswith(b"HEAD"):
        assert said.endswith(b"\r\n\r\n")
    assert read(port)


def test_it_follows_the_configuration(office: tuple[Agent, int]) -> None:
    """SIGHUP moves it to another port, or ends it; a port that is taken is told, and stops a start."""
    agent, port = office
    other = free_port()
    tables: dict[str, Any] = {"lines": {"m": static("201", free_port())}, "groups": {"support": group("600", "m")}}
    agent.reload(**tables, metrics={"port": other})
    assert read(other)
    with pytest.raises(OSError):
        read(port)
    with socket.create_server(("127.0.0.1", port)):
        agent.configure(**tables, metrics={"port": port})
        agent.ended_cleanly()
        with Process(agent.argv("run"), env=ENVIRONMENT) as run:
            assert run.wait() == 1
            assert f"metrics cannot listen on 127.0.0.1:{port}" in run.output
    agent.configure(**tables)
    agent.start()
    with pytest.raises(OSError):
        read(port)


def sockets(agent: Agent) -> int:
    """Return how many sockets the bridge has open."""
    count = 0
    for each in Path(f"/proc/{agent.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            count += os.readlink(each).startswith("socket:")
    return count


def test_a_thousand_who_say_nothing(office: tuple[Agent, int]) -> None:
    """While 1,000 connections stay, silent or with headers without end, all else goes on; what they cost is bounded."""
    agent, port = office
    before, open_before = read(port), sockets(agent)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(1000):
            crowd = stack.enter_context(socket.socket())
            crowd.settimeout(PATIENCE)
            with suppress(ConnectionError):  # the bridge has no place for it
                crowd.connect(("127.0.0.1", port))
                crowd.sendall(b"GET /metrics HTTP/1.1\r\n" + b"X-More: x\r\n" * (number % 3 * 1000))
        assert agent.ask("status")["wrong"] == []
        with Datagrams() as peer:
            peer.request("OPTIONS", "201", agent.port)
            peer.wait(b"SIP/2.0 ")
        now = read(port)
        assert sockets(agent) <= open_before + CONNECTIONS_AT_MOST
        assert now["cti_bridge_resident_memory_bytes"] < before["cti_bridge_resident_memory_bytes"] + 4e6
    wait_until(lambda: sockets(agent) <= open_before, agent.report)
