"""Reading the configuration for a command, and telling what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.ending import USAGE, Stop
from bridge.config.find import find
from bridge.config.problems import ConfigError

if TYPE_CHECKING:
    from bridge.config.settings import Settings


def configured(explicit: str | Path | None) -> tuple[Path, Settings]:
    """Return where the configuration is, and its settings. Raises Stop with every mistake in it."""
    path = None
    try:
        path = find(explicit)
        from bridge.config.load import load

        return path, load(path)
    except ConfigError as error:
        raise Stop(listing(path, error), USAGE) from None


def listing(path: Path | None, error: ConfigError) -> str:
    """Return all mistakes, one a line, under a heading where they have places in a file."""
    if path is None or not any(problem.path or problem.line for problem in error.problems):
        return str(error)
    count = len(error.problems)
    lines = "\n".join(f"  {problem}" for problem in error.problems)
    return f"{path} has {'a mistake' if count == 1 else f'{count} mistakes'}:\n{lines}"
