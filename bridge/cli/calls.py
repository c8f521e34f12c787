"""`cti-bridge calls`: the calls that are up."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import ago, columns

HEADINGS = ("CALLER", "CALLED", "STATE", "FOR", "CALL", "MEMBER")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print them."""
    data = ask(args, "calls", {})
    if args.json:
        print_json(data)
    else:
        print(calls_text(data["calls"], indent=""))
    return DONE


def calls_text(calls: Sequence[Mapping[str, Any]], indent: str) -> str:
    """Return a line for each call."""
    if not calls:
        return f"{indent}no calls are up"
    return columns((_row(call) for call in calls), HEADINGS, indent)


def caller_text(call: Mapping[str, Any]) -> str:
    """Return who calls: "Zoe <030123>", "030123" or "anonymous"; "not shown" to who may not see it."""
    number, name = call["caller"], call["caller_name"]
    if number is None:
        return "not shown"
    return f"{name} <{number}>" if name and number else number or name or "anonymous"


def _row(call: Mapping[str, Any]) -> tuple[object, ...]:
    called = f"{call['called']} ({call['group']})" if call["group"] else call["called"] or "not shown"
    return caller_text(call), called, call["state"], ago(call["since"]), call["call"], _members(call)


def _members(call: Mapping[str, Any]) -> str:
    if call["answered_by"]:
        return f"talks to {call['answered_by']}" + (" (on hold)" if call.get("held") else "")
    return f"rings {', '.join(call['ringing'])}" if call["ringing"] else ""
