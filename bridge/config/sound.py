"""Sounds in the configuration: one that ships, or a WAV file, looked at when the configuration is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from bridge.config.fields import Part
from bridge.media.wav import WavError, parts_of

LARGEST = 64 << 20  # bytes
_RIGHT = "give the path of a WAV file"


class WavFile(str):
    """The absolute path of a WAV file that could be played when the configuration was read; elsewhere it is text."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def read(value: object, base: Path) -> WavFile:
    """Return a configured WAV file; a relative path counts from `base`. Raises ValueError."""
    if not isinstance(value, str) or not value or "\0" in value or not value.isprintable():
        raise ValueError(f"is no path; {_RIGHT}")
    path = base / Path(value).expanduser()
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ValueError(f"{value} has over {LARGEST >> 20} MB; cut it, or save it as mono at 16 kHz")
        if not path.is_file():
            raise ValueError(f"{value} is no file; {_RIGHT}")
        parts_of(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{value} cannot be read ({error.strerror or error}); {_RIGHT} that is there") from None
    except WavError as error:
        raise ValueError(f"{value} cannot be played: {error}") from None
    return WavFile(path.absolute())


def files_in(value: Any) -> Iterator[WavFile]:
    """Yield every WAV file that is named anywhere in the settings."""
    if isinstance(value, WavFile):
        yield value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from files_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from files_in(below)
    elif isinstance(value, tuple):
        for below in value:
            yield from files_in(below)


def _wav(value: Any, info: ValidationInfo) -> WavFile:
    return read(value, (info.context or {}).get("base", Path()))


def _sound(value: Any, info: ValidationInfo) -> str:
    return "default" if value == "default" else _wav(value, info)


_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})

WavField = Annotated[WavFile, PlainValidator(_wav), _SCHEMA]
"""A WAV file of the user's."""
SoundField = Annotated[str, PlainValidator(_sound), _SCHEMA]
"""A WAV file of the user's (`WavFile`), or "default"."""
