"""The store, the port and the control socket served together: in a thread, or as a process that can be killed."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bridge.commands.views import Info
from bridge.control.client import Agent
from bridge.control.server import ControlServer
from bridge.directory.model import Directory
from bridge.events import Notice
from bridge.port.local import LocalPort
from tests.support.disk import Disk
from tests.support.office import ToldTelephony, office


class Served:
    """An agent without telephony in a thread: `port` is to be used on its loop, by `call`. Use as a context manager.

    What its parts raise is raised again when it ends.
    """

    def __init__(self, directory: Path, people: Directory | None = None):
        self.path = directory / "control.sock"
        self.state = directory
        self.people = people or office()
        self.telephony = ToldTelephony()
        self._up = threading.Event()
        self._bug: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="agent")

    def __enter__(self) -> Served:
        self._thread.start()
        self._up.wait()
        if self._bug is not None:
            self._thread.join()
            raise self._bug
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end()
        if self._bug is not None and kind is None:
            raise self._bug

    def end(self) -> None:
        """End the agent in order; a second time does nothing."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # its loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def end_soon(self, then: Callable[[], None]) -> None:
        """Begin to end, and do `then` a moment later; to be called on the loop."""
        self._end.set()
        self._loop.call_later(0.1, then)

    def hint(self) -> None:
        """Publish an event of no importance, so that followers are heard of."""
        self.call(lambda: self.port.publish(Notice(time.time(), "here", "the agent is here")))

    def agent(self) -> Agent:
        """Return a connection to it."""
        return Agent(self.path)

    def call(self, what: Callable[[], object]) -> None:
        """Do something on the loop, and wait until it is done."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(what)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as bug:  # for the thread that tests
            self._bug = bug
        self._up.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self.disk = store = Disk(self.state / "logins.db")
        started = time.time()
        self.port = LocalPort(
            directory=self.people,
            store=store,
            wall=time.time,
            monotonic=time.monotonic,
            info=lambda: Info("0.1.0", "test", started),
            telephony=self.telephony,
        )
        control = ControlServer(self.path, self.port, time.time)
        try:
            await self.port.start()
            await control.start()
            doing, serving = asyncio.create_task(self.port.run()), asyncio.create_task(control.run())
            self._up.set()
            ending = asyncio.create_task(self._end.wait())
            await asyncio.wait({doing, serving, ending}, return_when=asyncio.FIRST_COMPLETED)
            await control.close()
            await serving
            self.port.close()
            await doing
            ending.cancel()
        finally:
            await store.close()


if __name__ == "__main__":
    with Served(Path(sys.argv[1])) as served:
        print("ready", flush=True)
        threading.Event().wait()
