"""`cti-bridge night`: open or close a group, or leave that to its hours."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import clean

POSITIONS = ("open", "closed", "hours", "toggle")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("group", metavar="GROUP", help="the group's name or number, or all")
    told = "open or closed by hand, hours: as its hours say, toggle: the other way round than now"
    parser.add_argument("night", metavar="POSITION", choices=POSITIONS, help=f"{', '.join(POSITIONS)} ({told})")


def run(args: argparse.Namespace) -> int:
    """Switch, and say what is confirmed."""
    data = ask(args, "night", {"group": args.group, "night": args.night})
    if args.json:
        print_json(data)
        return DONE
    for entry in data["changed"]:
        print(f"{sentence(entry)}.")
    for entry in data["unchanged"]:
        print(f"{sentence(entry)}, as before.")
    for warning in data["warnings"]:
        print(f"Note: {clean(warning)}.", file=sys.stderr)
    return DONE


def sentence(entry: Mapping[str, Any]) -> str:
    """Return what is true of a group now: "support is closed by hand", "support is open by its hours"."""
    how = "its hours" if entry["night"] == "hours" else "hand"
    return clean(f"{entry['group']} is {'open' if entry['open'] else 'closed'} by {how}")
