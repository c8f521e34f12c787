"""`cti-bridge rights VIEWER [TARGET]`: what somebody may see and do of others, and where each right comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import clean, columns, named

WORDS = {
    "see_state": "see login and line state",
    "see_calls": "see callers and diversion",
    "see_second_calls": "see those of the second line",
    "pause": "pause",
    "pickup": "pick up calls",
    "pickup_second": "pick up at the second line",
    "divert": "set the diversion",
    "login": "log in or out",
    "control": "control the line",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("viewer", metavar="VIEWER", help="a user, or a device by its line's name or number")
    parser.add_argument("target", metavar="TARGET", nargs="?", help="over whom; default: everybody")


def run(args: argparse.Namespace) -> int:
    """Print them: for one target each right with its sources, for everybody a line each."""
    data = ask(args, "rights", {"viewer": args.viewer, "target": args.target})
    if args.json:
        print_json(data)
    elif args.target:
        print("\n".join(_of_one(data)))
    else:
        print(_of_all(data))
    return DONE


def _of_one(data: Mapping[str, Any]) -> Iterator[str]:
    for name, over in data["over"].items():
        device = ", a device: no level applies" if "device" in (over["kind"], data["kind"]) else ""
        yield clean(f"{data['viewer']} over {named(name, over['name'])}: {over['level']}{device}")
        rows = ((WORDS[right], _sources(found)) for right, found in over["rights"].items())
        yield columns(rows, indent="  ")


def _sources(found: list[Mapping[str, Any]]) -> str:
    """Return "site (public), group support as member (team)"; "no" where there is none."""
    return ", ".join(f"{s['from']} ({s['level']})" if s["level"] else s["from"] for s in found) or "no"


def _of_all(data: Mapping[str, Any]) -> str:
    parts = []
    if data["over"]:
        rows = (
            (named(name, over["name"]), over["level"], _sources(over["sources"]), ", ".join(_words(over["rights"])))
            for name, over in data["over"].items()
        )
        parts.append(columns(rows, ("OVER", "LEVEL", "FROM", "MAY")))
    lines = ", ".join(f"{line} ({why})" for line, why in data["lines"].items())
    journals = ", ".join(f"{group} ({', '.join(ways)})" for group, ways in data["journals"].items())
    parts.append(f"controls: {lines or 'no line'}\njournals: {journals or 'none'}")
    return "\n\n".join(parts)


def _words(rights: Mapping[str, Any]) -> Iterator[str]:
    return (WORDS[right] for right, found in rights.items() if found)
