"""Reading the configuration for a command, and telling what is wrong with it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.ending import USAGE, Stop
from bridge.cli.places import find_control
from bridge.config.find import find
from bridge.config.problems import ConfigError
from bridge.control.client import Agent, AgentUnreachable

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


def configured_here(args: argparse.Namespace) -> tuple[Path, Settings]:
    """Return the configuration that is named or found, else the one by which the running agent goes. Raises Stop."""
    return configured(args.config or _nowhere() and _of_the_agent(args) or None)


def _nowhere() -> bool:
    try:
        find(None)
    except ConfigError:
        return True
    return False


def _of_the_agent(args: argparse.Namespace) -> str | None:
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            data: Mapping[str, str | None] = agent.request("diagnosis", {}).get("data") or {}
            return data.get("config")
    except AgentUnreachable:
        return None


def listing(path: Path | None, error: ConfigError) -> str:
    """Return all mistakes, one a line, under a heading where they have places in a file."""
    if path is None or not any(problem.path or problem.line for problem in error.problems):
        return str(error)
    count = len(error.problems)
    lines = "\n".join(f"  {problem}" for problem in error.problems)
    return f"{path} has {'a mistake' if count == 1 else f'{count} mistakes'}:\n{lines}"
