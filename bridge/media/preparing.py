"""Gets the user's WAV files ready while calls go on.

A file that was converted before is there at once. Any other is converted by a process of its own: in a thread it would
take the interpreter from the one timer of all streams, again at every packet.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence

from bridge.media.sounds import Sounds


class Preparing:
    """Sees to it that `sounds` has the files that are asked for; `tell` takes what went wrong, in words."""

    def __init__(self, sounds: Sounds, tell: Callable[[str], None]) -> None:
        self._sounds = sounds
        self._tell = tell
        self._wanted: tuple[str, ...] = ()
        self._asked = asyncio.Event()

    async def begin(self, files: Iterable[str]) -> None:
        """Take what was converted before, so that the first call hears it; ask for the rest."""
        self.ask(files)
        if self._asked.is_set():
            await asyncio.to_thread(self._sounds.take, self._wanted)

    def ask(self, files: Iterable[str]) -> None:
        """Let these files be played, and no others, as soon as they can be."""
        self._wanted = tuple(files)
        if self._wanted or self._sounds.has_files:
            self._asked.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            for problem in await prepare(self._sounds, self._wanted):
                self._tell(problem)


async def prepare(sounds: Sounds, files: Sequence[str]) -> list[str]:
    """Let these files be played, and no others; return what went wrong, in words. Each is converted once."""
    missing = await asyncio.to_thread(sounds.missing, files)
    if missing:
        await _converted(str(sounds.cache), missing)
    return await asyncio.to_thread(sounds.take, files)


async def _converted(cache: str, files: Sequence[str]) -> None:
    command = [sys.executable, "-P", "-m", "bridge.media.convert", cache, *files]
    ours = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}  # wherever we were found
    quiet = subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet, env=ours)
    except OSError:  # no more processes, no memory: what is missing then is told
        return
    try:
        await process.wait()
    finally:
        if process.returncode is None:  # the agent ends
            process.kill()
            await process.wait()
