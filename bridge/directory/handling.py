"""What a line's user has said about its calls: do not disturb, and where they go instead.

One frozen `Handling` per line, replaced whole by confirmed changes, as logins are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.directory.logins import Origin


class When(StrEnum):
    """When calls to a line go elsewhere."""

    ALWAYS = "always"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


RINGS_BEFORE = 20.0  # seconds that a line rings before a call goes to where unanswered ones go


@dataclass(frozen=True, slots=True)
class Handling:
    """A line's settings: numbers that calls are diverted to. `after`: seconds; `since`: UTC, 0: never touched."""

    dnd: bool = False
    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None
    after: float = RINGS_BEFORE
    since: float = 0.0
    by: str | None = None
    origin: Origin | None = None

    def to(self, when: When) -> str | None:
        """Return where calls go then, None: nowhere else."""
        return {When.ALWAYS: self.always, When.BUSY: self.busy, When.NO_ANSWER: self.no_answer}[when]


PLAIN = Handling()


@dataclass(frozen=True, slots=True)
class HandlingChange:
    """A decided change of one line's settings; to be committed, then applied."""

    line: str
    before: Handling
    after: Handling


class Handlings:
    """The confirmed settings."""

    def __init__(self, entries: Iterable[tuple[str, Handling]] = ()) -> None:
        self._by_line: dict[str, Handling] = dict(entries)

    def get(self, line: str) -> Handling:
        """Return a line's settings."""
        return self._by_line.get(line, PLAIN)

    def apply(self, changes: Iterable[HandlingChange]) -> None:
        """Take over changes that are committed."""
        for change in changes:
            self._by_line[change.line] = change.after

    def copy(self) -> Handlings:
        """Return a draft to decide further commands on."""
        return Handlings(self._by_line.items())

    def __iter__(self) -> Iterator[tuple[str, Handling]]:
        return iter(self._by_line.items())
