"""SIGHUP: the configuration is read again, and every part goes by it, or none does.

It is read on a thread, so that no call waits for a file or a secret. With a mistake in it all mistakes are told, as
`cti-bridge check` tells them, and everything stays as it was. What cannot change while the agent runs is told too, and
stays; all else is in force when `configuration_taken` is told. One reload is done after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bridge.config.later import notices
from bridge.config.load import load
from bridge.config.problems import ConfigError
from bridge.config.settings import Settings
from bridge.events import ConfigurationRefused, ConfigurationTaken, Event
from bridge.mqtt.model import MqttError
from bridge.sip.endpoint import EndpointError
from bridge.store.errors import StoreError
from bridge.systemd import notify

GoBy = Callable[[Settings], Awaitable[list[str]]]
"""Lets every part go by other settings; returns what of them could not be done. Raises before anything has changed."""


class Reloading:
    """Reads `path` again whenever it is asked to. `present`: the settings of now; `tell` publishes events.

    `say` writes a line for people.
    """

    def __init__(
        self,
        path: Path | None,
        present: Callable[[], Settings],
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
            read = await asyncio.to_thread(load, self._path)
        except ConfigError as error:
            self._refuse([str(problem) for problem in error.problems])
            return
        settings, fixed = with_fixed(read, self._present())
        if settings is None:
            self._refuse(fixed)
            return
        try:
            problems = await self._go_by(settings)
        except (EndpointError, MqttError, StoreError) as error:
            self._refuse(str(error).splitlines())
            return
        for notice in notices(settings):
            self._say(notice)
        self._tell(ConfigurationTaken(time.time(), tuple(fixed), tuple(problems)))

    def _refuse(self, problems: list[str]) -> None:
        self._tell(ConfigurationRefused(time.time(), tuple(problems)))


_FIXED = ("listen", "advertise")


def with_fixed(new: Settings, present: Settings) -> tuple[Settings | None, list[str]]:
    """Return settings with what cannot change while the agent runs as it is, and the keys that would have changed.

    None where nothing of them can be taken; then why is returned.
    """
    if (new.sip is None) is not (present.sip is None):
        return None, ["sip: whether this is a bridge or a satellite changes with a restart; right is to restart it"]
    if new.sip is None or present.sip is None:
        return new, []
    changed = [name for name in _FIXED if getattr(new.sip, name) != getattr(present.sip, name)]
    stays = {name: getattr(present.sip, name) for name in changed}
    return new.model_copy(update={"sip": new.sip.model_copy(update=stays)}), [f"sip.{name}" for name in changed]


def broker_of(settings: Settings) -> tuple[object, ...]:
    """Return all that the MQTT door is made of, to be compared."""
    return settings.mqtt, settings.mqtt_prefix, settings.site.name
