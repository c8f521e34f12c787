"""Running until told to stop: the signals, the tasks that last, and the error for which it ends before.

A long-lived task that ends by an error, and an error that nobody takes, end the whole: what they leave behind cannot be
trusted, and systemd starts it again with the reason in the journal.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

GOODBYE = 1.0  # seconds that the last things have to be done


class Running:
    """One agent's, or one satellite's."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def mind_signals(self, reload: Callable[[], None]) -> None:
        """Stop at SIGTERM and SIGINT, `reload` at SIGHUP, fail by errors that nobody takes; on the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # Not the loop's own way, which lets SIGHUP end the process once the loop is closed.
        signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(reload))
        signal.siginterrupt(signal.SIGHUP, False)  # as the loop does
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came during the start comes now
        loop.set_exception_handler(self._on_bug)

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let this be done from now on."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def fail(self, why: BaseException) -> None:
        """Stop, and raise this; what fails first is raised."""
        self._failure = self._failure or why
        self._stop.set()

    async def until_stopped(self) -> None:
        """Wait until it is to stop. Raises what has failed."""
        await self._stop.wait()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # in every thread: there is nothing to be read again
        if self._failure is not None:
            raise self._failure

    async def end(self, first: asyncio.Task[Any] | None = None) -> None:
        """End every task; `first` has a moment to be done by itself."""
        if first is not None:
            await asyncio.wait([first], timeout=GOODBYE)
        ending = tuple(self._tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.fail(failure)

    def _on_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        self.fail(context.get("exception") or RuntimeError(str(context.get("message"))))
