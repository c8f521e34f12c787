"""Work that is to be done for each of some names for as long as they are wanted: a task each, ended with its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, TypeVar

Wanted = TypeVar("Wanted")


class Tended(Generic[Wanted]):
    """`work` is done with a name and what is wanted there; `ended` is told of a name that is so no more."""

    def __init__(
        self, work: Callable[[str, Wanted], Coroutine[Any, Any, None]], ended: Callable[[str], None] = lambda name: None
    ) -> None:
        self._work = work
        self._ended = ended
        self._wanted: dict[str, Wanted] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] | None = None

    def configure(self, wanted: Mapping[str, Wanted]) -> None:
        """Want these from now on; what is wanted as before goes on undisturbed. On the running loop."""
        loop = asyncio.get_running_loop()
        self._failed = self._failed or loop.create_future()
        for name in [name for name, before in self._wanted.items() if wanted.get(name) != before]:
            self._tasks.pop(name).cancel()
            if name not in wanted:
                self._ended(name)
        for name, value in wanted.items():
            if name not in self._tasks:
                self._tasks[name] = loop.create_task(self._work(name, value))
                self._tasks[name].add_done_callback(self._done)
        self._wanted = dict(wanted)

    async def run(self) -> None:
        """Wait for ever; raises what a task has raised, which is a bug. Ends all tasks when it is cancelled."""
        self._failed = self._failed or asyncio.get_running_loop().create_future()
        try:
            await self._failed
        finally:
            for task in self._tasks.values():
                task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._failed is None or self._failed.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)
