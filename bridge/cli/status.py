"""`cti-bridge status`: what is wrong and since when, then trunks, groups, lines and calls."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.calls import calls_text
from bridge.cli.ending import DONE
from bridge.cli.groups import groups_text
from bridge.cli.lines import lines_text
from bridge.cli.text import GAP, clean, columns, since, span


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print it; 0 as long as the agent answers, also when something is wrong."""
    data = ask(args, "status", {})
    if args.json:
        print_json(data)
    else:
        print("\n\n".join(_parts(data)))
    return DONE


def _parts(data: Mapping[str, Any]) -> Iterator[str]:
    yield clean(f"cti-bridge {data['version']} at {data['site']}, up for {span(data['uptime'])}")
    wrong = [(w["what"], w["state"], since(w["since"]), w["reason"]) for w in data["wrong"]]
    yield f"WRONG\n{columns(wrong)}" if wrong else "All is well."
    for heading, conditions in (("TRUNKS", data["trunks"]), ("CONNECTIONS", data["links"])):
        if conditions:
            yield f"{heading}\n{_conditions(conditions)}"
    yield f"GROUPS\n{groups_text(data['groups'], GAP)}"
    yield f"LINES\n{lines_text(data['lines'], GAP)}"
    yield f"CALLS\n{calls_text(data['calls'], GAP)}"


def _conditions(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    return columns(
        (name, c["state"], since(c["since"]), "; ".join(each for each in (c["reason"], *c.get("odd", ())) if each))
        for name, c in conditions.items()
    )
