"""Sounds, ready to be sent: what ships is read when it is first asked for, the user's files are converted once.

A track is kept in both laws. What came of the user's WAV files lies in `cache`, by what was in the file (`preparing`
sees to that). Until then, and for a file that is gone, the music that ships is played instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bridge.media.g711 import ALAW, FRAME, RATE, ULAW, decode, encode
from bridge.media.model import Sound
from bridge.media.prompts import MUSIC, is_file
from bridge.media.spelling import pieces
from bridge.media.wav import WavError, parts_of, samples_in

_SHIPPED = Path(__file__).parent / "sounds"
_SUFFIX = ".ulaw"
_CONVERSION = b"1"  # to be counted up when the same file would come out differently


class Track(NamedTuple):
    """A sound in both laws: whole frames."""

    ulaw: bytes
    alaw: bytes


class Sounds:
    """Every sound by name. `language`: one of `prompts.LANGUAGES`; `cache`: a directory of ours for converted files."""

    def __init__(self, language: str = "en", cache: Path = Path("/nonexistent")) -> None:
        self.cache = cache
        self._language = language
        self._shipped: dict[str, Track] = {}
        self._files: dict[str, Track] = {}

    def configure(self, language: str) -> None:
        """Speak another language from now on."""
        self._language = language
        self._shipped.clear()

    def tracks(self, sounds: Sequence[Sound]) -> tuple[Track, ...]:
        """Return what is to be played, piece by piece."""
        return tuple(self._track(piece) for sound in sounds for piece in pieces(sound, self._language))

    def _track(self, name: str) -> Track:
        if is_file(name):
            return self._files.get(name) or self._track(MUSIC)
        found = self._shipped.get(name)
        if found is None:
            found = self._shipped[name] = self._read(name)
        return found

    def _read(self, name: str) -> Track:
        places = (_SHIPPED / self._language / f"{name}{_SUFFIX}", _SHIPPED / f"{name}{_SUFFIX}")
        for place in places:
            with contextlib.suppress(FileNotFoundError):
                return track_of(place.read_bytes())
        return track_of(bytes([ULAW.silence]) * RATE)  # a second, where something that ships was taken away

    # -- the user's files ------------------------------------------------------------------------------------------

    @property
    def has_files(self) -> bool:
        """Whether files of the user's are ready to be played, or kept."""
        return bool(self._files) or self.cache.is_dir()

    def missing(self, files: Iterable[str]) -> list[str]:
        """Return which of these files can be read and are still to be converted."""
        found = []
        for file in dict.fromkeys(files):
            with contextlib.suppress(OSError):
                if not (self.cache / converted_name(Path(file).read_bytes())).exists():
                    found.append(file)
        return found

    def take(self, files: Iterable[str]) -> list[str]:
        """Play what these files were converted to, and forget all others; return what went wrong, in words."""
        ready: dict[str, Track] = {}
        problems: list[str] = []
        kept: set[str] = set()
        for file in dict.fromkeys(files):
            try:
                data = Path(file).read_bytes()
                kept.add(converted_name(data))
                ready[file] = self._converted(data)
            except OSError as error:
                problems.append(f"sound {file} cannot be read: {error.strerror or error}; other music is played")
            except WavError as error:
                problems.append(f"sound {file} cannot be played: {error}; other music is played")
        self._files = ready
        self._forget_others(kept)
        return problems

    def _converted(self, data: bytes) -> Track:
        place = self.cache / converted_name(data)
        try:
            return track_of(place.read_bytes())
        except FileNotFoundError:
            parts_of(data)
            raise WavError(f"it could not be converted into {self.cache}; see whether there is room") from None

    def _forget_others(self, kept: set[str]) -> None:
        if self.cache.is_dir():
            for found in self.cache.glob(f"*{_SUFFIX}"):
                if found.name not in kept:
                    with contextlib.suppress(OSError):
                        found.unlink()


def convert(file: Path, cache: Path) -> None:
    """Convert a WAV file, for `Sounds.take` to find; what cannot be converted is left out."""
    with contextlib.suppress(OSError, WavError):
        data = file.read_bytes()
        ulaw = encode(ULAW, samples_in(data))
        cache.mkdir(parents=True, exist_ok=True)
        fresh = cache / f".{converted_name(data)}"
        fresh.write_bytes(ulaw)
        os.replace(fresh, cache / converted_name(data))


def converted_name(data: bytes) -> str:
    """Return how what came of a file is called in the cache."""
    return hashlib.sha256(_CONVERSION + data).hexdigest()[:32] + _SUFFIX


def track_of(ulaw: bytes) -> Track:
    """Return a track from µ-law, filled up with silence to whole frames."""
    whole = ulaw + bytes([ULAW.silence]) * (-len(ulaw) % FRAME)
    return Track(whole, whole.translate(_TO_ALAW))


_TO_ALAW = encode(ALAW, decode(ULAW, bytes(range(256))))
