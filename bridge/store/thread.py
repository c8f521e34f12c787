"""One thread that does the waiting for the disk, so that the loop that carries SIP never does.

Jobs are done one after the other, in the order in which they were given. What a job returns or raises comes back to
the loop that asked.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class StoreThread:
    """A worker thread with a queue; started by the first job, ended by `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def do(self, work: Callable[[], T]) -> T:
        """Do `work` on the thread and return what it returns, or raise what it raises.

        Who stops waiting does not stop the work.
        """
        return await self._give(work)

    async def close(self, last: Callable[[], None]) -> None:
        """Do everything that is queued, then `last`, and end the thread. A second time does nothing."""
        if self._closed:
            return
        done = self._give(last)
        self._closed = True
        self._jobs.put(None)
        await done

    def _give(self, work: Callable[[], T]) -> asyncio.Future[T]:
        if self._closed:
            raise RuntimeError(f"the thread {self._name} is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(partial(_do, loop, future, work))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _do(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], work: Callable[[], T]) -> None:
    """Do the work here, on the thread; settle its future there, on the loop."""
    try:
        settle = partial(future.set_result, work())
    except BaseException as error:  # whatever it is, it belongs to the one who asked
        settle = partial(future.set_exception, error)
    try:
        loop.call_soon_threadsafe(_unless_given_up, future, settle)
    except RuntimeError:  # the loop is closed: nobody is left to be told
        return


def _unless_given_up(future: asyncio.Future[T], settle: Callable[[], None]) -> None:
    if not future.done():
        settle()
