"""The configuration: what is wrong with it, what has no effect yet, and whether its secrets are kept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bridge.config.counts import counted, counts
from bridge.config.find import EXAMPLE
from bridge.config.later import notices
from bridge.config.problems import ConfigError
from bridge.doctor.access import READ, may
from bridge.doctor.model import Finding, Findings, Patient, fail, ok, warn


def mistakes(path: Path | None, error: ConfigError) -> list[Finding]:
    """Return a finding for each mistake."""
    what = str(path or "there is none")
    return [
        fail("configuration", f"{what}: {str(problem).partition(';')[0]}", str(problem).partition("; ")[2] or "mend it")
        for problem in error.problems
    ]


def check_configuration(patient: Patient) -> Findings:
    """Tell what it sets up, and who else may read its secrets."""
    settings = patient.settings
    found = counted(counts(settings))
    yield ok("configuration", f"{patient.path}: {found or 'nothing is set up yet'}")
    for notice in notices(settings):
        yield warn("configuration", notice, "leave it out, or wait for a release that has it")
    if not found:
        yield warn("configuration", "it serves nobody", "cti-bridge init writes one, from answers to a few questions")
    yield from _secrets(patient)


def _secrets(patient: Patient) -> Findings:
    with suppress(OSError, tomllib.TOMLDecodeError):
        table = tomllib.loads(patient.path.read_text(encoding="utf-8-sig"))
        ships = patient.path.resolve() == EXAMPLE.resolve()  # its passwords are everybody's
        if not ships and any(True for _ in _plain(table)) and patient.path.stat().st_mode & 0o004:
            yield warn(
                "secrets", f"everybody on this machine may read those in {patient.path}", f"chmod o-r {patient.path}"
            )
        for name in dict.fromkeys(_files(table)):
            path = patient.path.parent / Path(name).expanduser()
            if path.stat().st_mode & 0o044 and path.stat().st_mode & 0o004:
                yield warn("secrets", f"everybody on this machine may read {path}", f"chmod 600 {path}")
            if not may(patient.user, path, READ):
                yield fail("secrets", f"{patient.user} may not read {path}", f"sudo chown {patient.user} {path}")


def _plain(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _plain(value)
        elif key in ("password", "pin") and isinstance(value, str):
            yield key


def _files(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            if key in ("password", "pin") and isinstance(value.get("file"), str):
                yield value["file"]
            yield from _files(value)
