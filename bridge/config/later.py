"""What the configuration may say already, though it has no effect yet: one table, empty at present."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bridge.config.fields import Part
from bridge.config.problems import Loc, dotted
from bridge.config.settings import Settings


class Later(NamedTuple):
    """A key ("*": any name or element), what happens meanwhile, and for which of its values."""

    key: Loc
    meanwhile: str
    when: Callable[[Any], bool] = bool


TABLE: tuple[Later, ...] = ()


def notices(settings: Settings) -> list[str]:
    """Return a line for every setting that was given and has no effect yet."""
    found = []
    for entry in TABLE:
        for loc, value in _given(settings, entry.key):
            if entry.when(value):
                found.append(f"accepted, not in effect yet: {dotted(loc)} ({entry.meanwhile})")
    return found


def _given(value: Any, key: Loc, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Yield what was given under a key, and not merely left at its default."""
    if not key:
        yield loc, value
        return
    for part, below in _children(value):
        if key[0] in ("*", part):
            yield from _given(below, key[1:], (*loc, part))


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Part):
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield field.alias or name, getattr(value, name)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, tuple):
        yield from enumerate(value)
