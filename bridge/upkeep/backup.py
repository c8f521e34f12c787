"""Copies for a backup while the agent runs: each store copies its own file, on its own thread.

The copies lie in the state directory until whoever asked has packed them and says so, or until the next are asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from bridge.commands.model import CommandError
from bridge.commands.words import check_fields
from bridge.store.errors import StoreError

VERB, DONE = "backup", "backup_done"
Copy = Callable[[Path], Awaitable[None]]


class BackupAnswers:
    """Answers the owner. `copies`: what makes each file's copy, by the file's name."""

    def __init__(self, state: Path, copies: Mapping[str, Copy]) -> None:
        self._directory = state / "backup"
        self._copies = copies

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]]:
        """Return what can be asked for."""
        return {VERB: self._copy, DONE: self._clear}

    async def _copy(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        check_fields(VERB, arguments, ())
        await self._clear({})
        try:
            self._directory.mkdir(mode=0o700)
            for name, copy in self._copies.items():
                await copy(self._directory / name)
        except (StoreError, OSError) as error:
            await self._clear({})
            raise CommandError("store_failed", f"no copies for a backup can be made: {error}") from None
        return {"files": {name: str(self._directory / name) for name in self._copies}}

    async def _clear(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        shutil.rmtree(self._directory, ignore_errors=True)
        return {}
