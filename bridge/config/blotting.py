"""The configuration's text without its secrets, for whoever may have it who may not have them.

Every text that stands as the value of a secret's key is blotted out, in comments too; where a secret is only named by
its place (`{ file = "..." }`) it is left as it is. What is left is read again: a secret that is still there is a
mistake of ours, and nothing is given away then.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

KEYS = ("password", "pin")
"""The keys whose values are secrets."""

BLOTTED = "(blotted out)"
_TEXT = r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
_SECRET = re.compile(rf"""((?:\b|["'])(?:{"|".join(KEYS)})["']?\s*=\s*)(?:{_TEXT}|\d+)""", re.DOTALL)


class Blotted(NamedTuple):
    """A text without secrets, and the paths of those that stood in it: "trunks.fritz.password"."""

    text: str
    secrets: tuple[str, ...]


def blotted(text: str) -> Blotted:
    """Return the text without secrets. Raises ValueError where it is no TOML, or cannot be blotted surely."""
    plain = dict(_secrets(_read(text)))
    clean = _SECRET.sub(rf'\1"{BLOTTED}"', text)
    left = [path for path, value in _secrets(_read(clean)) if value != BLOTTED]
    if left:
        raise ValueError(f"{', '.join(left)}: it is written in a way that cannot be blotted out; write it on one line")
    return Blotted(clean, tuple(plain))


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is no TOML: {error}") from None


def _secrets(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and value of every secret that is given as text."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            below = f"{path}.{key}" if path else str(key)
            if key in KEYS and not isinstance(each, Mapping):
                yield below, str(each)
            else:
                yield from _secrets(each, below)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _secrets(each, f"{path}[{number}]")
