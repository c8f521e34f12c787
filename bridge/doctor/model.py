"""What is examined, and what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from bridge.config.settings import Settings


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """Something that was looked at: `check` names it, `said` tells how it is, `todo` what is to be done about it."""

    check: str
    verdict: Verdict
    said: str
    todo: str = ""


Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Patient:
    """A configuration that is right, and what the agent says of itself: `status` and `diagnosis`, empty without one.

    `calls` are the last ones of the journal. `state` is where the agent keeps its data. `user`: as whom it runs, or
    would.
    """

    path: Path
    settings: Settings
    state: Path
    user: str
    status: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    calls: Sequence[Mapping[str, Any]] = ()

    @property
    def runs(self) -> bool:
        """Whether the agent answers."""
        return bool(self.status)


def ok(check: str, said: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Verdict.OK, said)


def warn(check: str, said: str, todo: str) -> Finding:
    """Return that something may become, or already is, a nuisance."""
    return Finding(check, Verdict.WARN, said, todo)


def fail(check: str, said: str, todo: str) -> Finding:
    """Return that something does not work."""
    return Finding(check, Verdict.FAIL, said, todo)
