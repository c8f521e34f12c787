"""A mistake in the configuration, and the error that carries all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

Loc = tuple[str | int, ...]
"""A key's place: table names and keys as text, a list's elements by their index from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Problem(NamedTuple):
    """One mistake. `path` is "" where it is about the file as a whole; `line` counts from 1."""

    path: str
    what: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        line = f" (line {self.line})" if self.line else ""
        return f"{where}{self.what}{line}"


class ConfigError(Exception):
    """A configuration that cannot be taken. `problems`: all that is wrong, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line or 0)
        super().__init__("\n".join(map(str, self.problems)))


def dotted(loc: Loc) -> str:
    """Return a place as it is written to people: `groups.support.members[1].tier`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text
