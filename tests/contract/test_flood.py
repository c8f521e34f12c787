"""Strangers flood the bridge: calls of its own phones go through in time, and nothing of the flood stays."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.sip.limits import IN_VAIN
from tests.support.agent import Agent, Table, static
from tests.support.datagrams import SDP, Datagrams
from tests.support.process import wait_until
from tests.support.stage import Part, Stage

DATAGRAMS = 20_000
RATE = 8_000  # a second
GROWTH = 8 * 1024  # KiB
Stages = Callable[..., Stage]

REQUEST = (
    b"%b sip:777@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %b;rport;branch=z9hG4bKf%d\r\nFrom: <sip:301@%b>;tag=%d\r\n"
    b"To: <sip:777@127.0.0.1>\r\nCall-ID: flood-%d\r\nCSeq: 1 %b\r\nContact: <sip:301@%b>\r\nMax-Forwards: 70\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def resident(pid: int) -> int:
    """Return how much memory a process has, in KiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


class Flood:
    """Sends from one address of loopback after the other, at `RATE` or as fast as it can, as long as the block runs.

    From so many `ports` of each.
    """

    def __init__(self, port: int, method: bytes, addresses: int, ports: int = 1) -> None:
        self._port = port
        self._method = method
        hosts = [f"127.66.{n >> 8}.{n & 255}" for n in range(1, addresses + 1)]
        self._sockets = [self._bound(host) for host in hosts for _ in range(ports)]
        self._enough = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _bound(host: str) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind((host, 0))
        return opened

    def _run(self) -> None:
        while not self._enough.is_set():
            for _ in range(RATE // 100):
                source = self._sockets[self.sent % len(self._sockets)]
                host = source.getsockname()[0].encode()
                number, method = self.sent, self._method
                data = REQUEST % (method, host, number, host, number, number, method, host)
                source.sendto(data, ("127.0.0.1", self._port))
                self.sent += 1
            self._enough.wait(0.01)

    def __enter__(self) -> Flood:
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        for source in self._sockets:
            source.close()


@pytest.mark.parametrize(("method", "addresses"), [(b"INVITE", 1), (b"INVITE", 200), (b"REGISTER", 50)])
def test_calls_go_through_a_flood(stage: Stages, method: bytes, addresses: int) -> None:
    """A call is made, answered and ended meanwhile; afterwards memory is what it was, and the log is short."""
    on = stage("parallel", Part("member_answers", talk=100))
    before = resident(on.agent.pid)
    with Flood(on.agent.port, method, addresses) as flood:
        wait_until(lambda: flood.sent > DATAGRAMS // 2, "the flood has begun")
        on.call("caller_calls_and_hangs_up")
        on.passed()
        wait_until(lambda: flood.sent > DATAGRAMS, "the flood was one")
    on.agent.wait_idle()
    assert resident(on.agent.pid) - before < GROWTH
    lines = [line for line in on.agent.process.output.splitlines() if "127.66." in line]
    assert 1 <= len(lines) <= min(addresses, 40), lines


TRUNK = {"server": "sip:127.66.0.1:5060", "register": False, "check": False}


@pytest.mark.parametrize(
    ("trunks", "method", "addresses", "ports"),
    [({"pbx": TRUNK}, b"INVITE", 1, 1), ({"pbx": TRUNK}, b"OPTIONS", 1, 1), ({}, b"INVITE", 1, 800)],
    ids=["calls of a trunk", "questions of a trunk", "many ports of a stranger"],
)
def test_a_phone_rings_while_others_flood(
    bridge: Callable[..., Agent], trunks: Table, method: bytes, addresses: int, ports: int
) -> None:
    """Whoever floods, the phone of another line rings meanwhile; nothing of the flood stays, and the log has a line."""
    with Datagrams() as caller, Datagrams() as member:
        lines = {"c": static("301", caller.port), "m": static("201", member.port)}
        agent = bridge(lines=lines, trunks=trunks)
        caller.request("OPTIONS", "201", agent.port)
        caller.wait(b"SIP/2.0 200 ")
        before = resident(agent.pid)
        with Flood(agent.port, method, addresses, ports) as flood:
            wait_until(lambda: flood.sent > DATAGRAMS // 2, "the flood has begun")
            data = caller.request("INVITE", "201", agent.port, SDP)
            invite = heard(member, b"INVITE ", lambda: caller.send(data, agent.port))
            member.answer(invite, "180 Ringing", port=agent.port)
            heard(caller, b"SIP/2.0 180 ", lambda: member.answer(invite, "180 Ringing", port=agent.port))
            wait_until(lambda: flood.sent > DATAGRAMS, "the flood was one")
        member.answer(invite, "486 Busy Here", port=agent.port)
        agent.wait_idle()
        assert resident(agent.pid) - before < GROWTH
        assert len([line for line in agent.process.output.splitlines() if "127.66." in line]) <= 2
        written = [call for call in agent.cli("journal")["entries"] if call.get("called") == "777"]
        assert len(written) < 2 * IN_VAIN.at_once
        assert bool(written) is (bool(trunks) and method == b"INVITE")


def heard(phone: Datagrams, begin: bytes, again: Callable[[], None]) -> bytes:
    """Return what comes and begins like this; every 200 ms what asks for it is sent again, for it may be lost."""
    for _ in range(20):
        try:
            return phone.wait(begin, 0.2)
        except AssertionError:
            again()
    raise AssertionError(f"nothing began with {begin!r}; came: {phone.received()}")
