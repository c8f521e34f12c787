"""Strangers flood the bridge: calls of its own phones go through in time, and nothing of the flood stays."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.process import wait_until
from tests.support.stage import Part, Stage

DATAGRAMS = 20_000
RATE = 8_000  # a second
GROWTH = 8 * 1024  # KiB
Stages = Callable[..., Stage]

REQUEST = (
    b"%b sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %b;rport;branch=z9hG4bKf%d\r\nFrom: <sip:301@%b>;tag=%d\r\n"
    b"To: <sip:600@127.0.0.1>\r\nCall-ID: flood-%d\r\nCSeq: 1 %b\r\nContact: <sip:301@%b>\r\nMax-Forwards: 70\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def resident(pid: int) -> int:
    """Return how much memory a process has, in KiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


class Flood:
    """Sends from one address of loopback after the other, at `RATE` or as fast as it can, as long as the block runs."""

    def __init__(self, port: int, method: bytes, addresses: int) -> None:
        self._port = port
        self._method = method
        self._sockets = [self._bound(f"127.66.{n >> 8}.{n & 255}") for n in range(1, addresses + 1)]
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
