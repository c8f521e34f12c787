"""Gets the user's WAV files ready while calls go on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence

from bridge.media.sounds import Sounds


async def prepare(sounds: Sounds, files: Sequence[str]) -> list[str]:
    """Let these files be played, and no others; return what went wrong, in words. Each is converted once."""
    missing = await asyncio.to_thread(sounds.missing, files)
    if missing:
        await _converted(str(sounds.cache), missing)
    return await asyncio.to_thread(sounds.take, files)


async def _converted(cache: str, files: Sequence[str]) -> None:
    command = [sys.executable, "-P", "-m", "bridge.media.convert", cache, *files]
    quiet = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        await process.wait()
    finally:
        if process.returncode is None:  # the agent ends
            process.kill()
            await process.wait()
