"""Sound files of the user's own: converted once, and never in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path as File

from bridge.media.g711 import ULAW, encode
from bridge.media.preparing import prepare
from bridge.media.prompts import MUSIC
from bridge.media.sounds import Sounds
from bridge.media.tone import sine
from tests.support.voices import run, tone_file
from tests.support.wav import wav


def test_the_users_files_are_converted_once(tmp_path: File) -> None:
    """What came of a file is kept by its content; a file that is gone or broken is told, and other music played."""

    async def work() -> None:
        cache = tmp_path / "cache"
        file = tone_file(tmp_path, 440)
        broken = tmp_path / "broken.wav"
        broken.write_bytes(b"RIFF....WAVE")
        first = Sounds("en", cache)
        assert not await prepare(first, [file]) and first.has_files
        (kept,) = cache.iterdir()
        kept.write_bytes(encode(ULAW, sine(880, -10, 8000)))
        second = Sounds("en", cache)
        assert not await prepare(second, [file])
        assert second.tracks([file])[0].ulaw == kept.read_bytes()
        problems = await prepare(second, [str(broken), str(tmp_path / "gone.wav")])
        assert "broken.wav cannot be played: it has no sound" in problems[0]
        assert "gone.wav cannot be read: No such file" in problems[1]
        assert second.tracks([str(broken)]) == second.tracks([MUSIC]) and not list(cache.iterdir())

    run(work())


def test_a_file_for_which_there_is_no_room(tmp_path: File) -> None:
    """Is told; other music is played."""

    async def work() -> None:
        (tmp_path / "cache").write_text("a file where a directory should be")
        file = tone_file(tmp_path, 440)
        (problem,) = await prepare(Sounds("en", tmp_path / "cache"), [file])
        assert "440.wav" in problem and "other music is played" in problem

    run(work())


def test_an_agent_that_ends_does_not_wait_for_conversion(tmp_path: File) -> None:
    """Nor does the conversion go on without it."""

    async def work() -> None:
        path = tmp_path / "long.wav"
        path.write_bytes(wav(sine(440, -10, 8000 * 60), 48000, channels=2))
        task = asyncio.create_task(prepare(Sounds("en", tmp_path / "cache"), [str(path)]))
        await asyncio.sleep(0.3)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert not list((tmp_path / "cache").glob("*.ulaw"))

    run(work())
