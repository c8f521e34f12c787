"""`cti-bridge lines`: the lines and whether they can be rung."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.linework import RINGS, handling_text
from bridge.cli.text import clock, columns

HEADINGS = ("LINE", "NUMBER", "STATE", "SINCE", "GROUPS", "REACHED")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print them."""
    data = ask(args, "lines", {})
    if args.json:
        print_json(data)
    else:
        print(lines_text(data["lines"], indent=""))
    return DONE


def lines_text(lines: Mapping[str, Mapping[str, Any]], indent: str) -> str:
    """Return a line for each line."""
    if not lines:
        return f"{indent}no lines are configured"
    return columns((_row(name, line) for name, line in lines.items()), HEADINGS, indent)


def _row(name: str, line: Mapping[str, Any]) -> tuple[object, ...]:
    return name, line["number"], line["state"], clock(line["since"]), ", ".join(line["groups"]), _reached(line)


def _reached(line: Mapping[str, Any]) -> str:
    """Return by which way the phone is reached, and where it is."""
    at = ", ".join(line["contacts"]) or ("its phone has not registered" if line["via"] == "registers" else "")
    if line["via"].startswith("trunk "):
        at = str(line["via"])
    handled = handling_text(line["handling"]) if line.get("handling") else RINGS
    return at if handled == RINGS else f"{at} ({handled})"
