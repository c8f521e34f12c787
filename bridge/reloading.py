"""SIGHUP: the configuration is read again, and every part goes by it, or none does.

It is read by a process of its own (`reading`), so that no call waits for a file or a secret. With a mistake in it all
mistakes are told, as `cti-bridge check` tells them, and everything stays as it was. What cannot change while the agent
runs is told too, and stays; all else is in force when `configuration_taken` is told. One reload is
done after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bridge.config.problems import ConfigError
from bridge.events import ConfigurationRefused, ConfigurationTaken, Event
from bridge.mqtt.errors import MqttError
from bridge.reading import Fixed, Read, read_again
from bridge.sip.endpoint import EndpointError
from bridge.store.errors import StoreError
from bridge.systemd import notify
from bridge.values import Values

GoBy = Callable[[Values], Awaitable[list[str]]]
"""Lets every part go by other values; returns what of them could not be done. Raises before anything has changed."""


class Reloading:
    """Reads `path` again whenever it is asked to. `present`: the values of now; `tell` publishes events.

    `say` writes a line for people.
    """

    def __init__(
        self,
        path: Path | None,
        present: Callable[[], Values],
        go_by: GoBy,
        tell: Callable[[Event], None],
        say: Callable[[str], None],
    ) -> None:
        self._path = path
        self._present = present
        self._go_by = go_by
        self._tell = tell
        self._say = say
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read it again, once the reload that is going on is done."""
        self._asked.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await self._reload()
            notify("READY=1")

    async def _reload(self) -> None:
        if self._path is None:
            self._refuse(["it was not read from a file"])
            return
        try:
            values, fixed = await asyncio.to_thread(_read, self._path, self._present())
        except ConfigError as error:
            self._refuse([str(problem) for problem in error.problems])
            return
        try:
            problems = await self._go_by(values)
        except (EndpointError, MqttError, StoreError) as error:
            self._refuse(str(error).splitlines())
            return
        for notice in values.notices:
            self._say(notice)
        self._tell(ConfigurationTaken(time.time(), fixed, tuple(problems)))

    def _refuse(self, problems: list[str]) -> None:
        self._tell(ConfigurationRefused(time.time(), tuple(problems)))


def _read(path: Path, present: Values) -> Read:
    fixed = Fixed(present.sip.listen, present.sip.advertise) if present.sip is not None else Fixed(None, None)
    return read_again(path, fixed)
