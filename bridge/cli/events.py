"""`cti-bridge events`: what happens, as it happens, one line each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import connect, request
from bridge.cli.ending import DONE, UNREACHABLE, Stop
from bridge.cli.text import clean, clock


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C; it always does")


def run(args: argparse.Namespace) -> int:
    """Print events until Ctrl-C, which is the ordinary end, or until the agent ends."""
    with connect(args) as agent:
        request(agent, args, "follow", {})
        try:
            for event in agent.events():
                print(json.dumps(event) if args.json else event_text(event), flush=True)
        except KeyboardInterrupt:
            return DONE
    raise Stop(f"the agent at {agent.path} has ended, or let this slow reader go", UNREACHABLE)


def event_text(event: Mapping[str, Any]) -> str:
    """Return "14:05  support: anna logged in by anna (button)"; what is in no words, key by key."""
    return clean(f"{clock(event['at'])}  {event.get('text') or _listed(event)}")


def _listed(event: Mapping[str, Any]) -> str:
    told = ", ".join(f"{key} {_value(value)}" for key, value in event.items() if key not in ("type", "at") and value)
    return f"{event['type'].replace('_', ' ')}: {told}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return " / ".join(map(_value, value))
    if not isinstance(value, dict):
        return str(value)
    return " ".join(f"{key}={each}" for key, each in value.items() if each not in (None, False, ""))
