"""A bureau with an MQTT door, on a loop in a thread of its own: tests talk to it from outside, as brokers do.

Run as a program, `python -m tests.support.doors HOST PORT PREFIX`, it is one that can be killed.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from bridge.commands.model import Actor, LoginCommand, LoginVerb, Reply
from bridge.commands.views import Link
from bridge.directory.logins import Origin
from bridge.directory.model import Directory
from bridge.events import Event
from bridge.mqtt.door import MqttDoor
from bridge.mqtt.model import MqttSettings
from tests.support.office import ANNA, NOW
from tests.support.paper import Bureau, bureau
from tests.support.process import PATIENCE, wait_until

T = TypeVar("T")


class Door:
    """An open MQTT door. Use as a context manager; `wait_connected=False` where there may be no broker."""

    def __init__(self, settings: MqttSettings, directory: Directory | None = None, *, wait_connected: bool = True):
        self._settings = settings
        self._directory = directory
        self._wait_connected = wait_connected
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.bureau: Bureau
        self.door: MqttDoor

    def __enter__(self) -> Door:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        if self._wait_connected:
            wait_until(lambda: self.link.state == "connected", "the door is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @property
    def link(self) -> Link:
        """How the connection to the broker is."""
        return self.door.link

    def tell(self, *events: Event, first: Callable[[Bureau], object] = lambda _: None) -> None:
        """Change something and publish events, at one moment on the loop."""

        async def telling() -> None:
            first(self.bureau)
            for event in events:
                self.bureau.port.publish(event)

        self._await(telling())

    def reload(self, directory: Directory) -> None:
        """Go by another directory."""
        self._await(self.bureau.port.reload(directory))

    def submit(self, verb: LoginVerb, group: str, member: str, actor: Actor = ANNA) -> Reply:
        """Give a command at another door."""
        command = LoginCommand(verb, group, member)
        reply: Reply = self._await(self.bureau.port.submit(command, actor, Origin.BUTTON))
        return reply

    def _await(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with bureau(self._directory) as self.bureau:
            self.door = MqttDoor(self._settings, self.bureau.port, lambda: NOW, self.bureau.port.publish, lambda: 0.0)
            await self.door.start()
            self._ready.set()
            await self._end.wait()
            await self.door.close()


def main(host: str, port: str, prefix: str) -> None:
    """Open a door until killed."""
    with Door(MqttSettings(host, prefix, port=int(port))):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
