"""systemd's watchdog: fed while loop, store and SIP socket are alive, and only then."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bridge.sip.endpoint import Endpoint
from bridge.sip.flow import Flow, Send
from bridge.store.logins import LoginStore
from bridge.upkeep.watchdog import Watchdog
from tests.support.agent import ENVIRONMENT, Agent
from tests.support.process import PATIENCE, Process

Bridges = Callable[..., Agent]


def fed(notified: socket.socket) -> None:
    """Wait for the next time that the watchdog is fed."""
    while notified.recv(256) != b"WATCHDOG=1":
        continue


def test_it_is_fed_while_all_is_well(bridge: Bridges, tmp_path: Path) -> None:
    """At least twice in its time, from the start on, as sd_notify(3) wants it."""
    agent = bridge()
    agent.ended_cleanly()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind("")  # the kernel finds a name outside the file system (unix(7), autobind)
        notified.settimeout(PATIENCE)
        env = {**ENVIRONMENT, "NOTIFY_SOCKET": f"@{notified.getsockname()[1:].decode()}", "WATCHDOG_USEC": "600000"}
        with Process(agent.argv("run"), env=env) as process:
            for _ in range(4):
                fed(notified)
            assert process.running and "watchdog" not in process.output
    agent.start()


class Engine:
    """An engine that no probe may reach."""

    def __init__(self) -> None:
        self.outbox: list[Send] = []

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take nothing."""
        raise AssertionError(data)

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Nothing fails."""
        raise AssertionError(reason)

    def tick(self, now: float) -> None:
        """Nothing is due."""

    def deadline(self) -> float | None:
        """Nothing is due."""
        return None


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it."""
    asyncio.run(work)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_sip_socket_that_is_not_read_is_dead(host: str) -> None:
    """Alive as long as what is sent to it is read, on one address and on all."""

    async def work() -> None:
        endpoint = Endpoint(Engine(), [("udp", host, 0)], None, lambda: None)
        await endpoint.start()
        watchdog = Watchdog({"the SIP socket": endpoint.alive}, lambda: None, lambda text: None, None)
        assert await watchdog.dead(PATIENCE) == []
        assert await watchdog.dead(PATIENCE) == []
        for datagrams in endpoint._datagrams.values():
            asyncio.get_running_loop().remove_reader(datagrams._socket)
        assert await watchdog.dead(0.1) == ["the SIP socket"]
        await endpoint.close()
        assert await watchdog.dead(0.1) == ["the SIP socket"]

    run(work())


def test_a_store_that_waits_for_the_disk_is_dead(tmp_path: Path) -> None:
    """And alive again when the disk is; what is dead is said once, and by name."""

    async def work() -> None:
        store = LoginStore(tmp_path / "logins.db", time.time)
        told: list[str] = []
        times = 0
        stuck, again = threading.Event(), asyncio.Event()

        def feed() -> None:
            nonlocal times
            times += 1
            again.set()

        watchdog = Watchdog({"the store": store.alive}, feed, told.append, 0.05)
        await store.open()
        waiting = asyncio.create_task(store._thread.do(stuck.wait))
        feeding = asyncio.create_task(watchdog.run())
        while not told:
            await asyncio.sleep(0.01)
        assert times == 0 and "the store did not answer" in told[0]
        stuck.set()
        await asyncio.wait_for(again.wait(), PATIENCE)
        assert len(told) == 1
        feeding.cancel()
        await asyncio.gather(feeding, waiting, return_exceptions=True)
        await store.close()

    run(work())
