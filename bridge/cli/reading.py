"""Asks the running agent, or where none runs reads the journal's file: for commands that answer either way."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import print_json, request
from bridge.cli.ending import FAILED, UNREACHABLE, USAGE, Stop
from bridge.cli.places import find_control, state_directory
from bridge.control.client import Agent, AgentUnreachable


def look_up(args: argparse.Namespace, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data that answers one of `verbs.LOOKUPS`. Raises Stop."""
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            return request(agent, args, verb, given)
    except AgentUnreachable as gone:
        return _from_file(args, verb, given, str(gone))


def _from_file(args: argparse.Namespace, verb: str, given: Mapping[str, Any], gone: str) -> dict[str, Any]:
    from bridge.commands.model import CommandError
    from bridge.store.errors import StoreError
    from bridge.store.journal import FILE, opened_for_reading

    path = state_directory(args.state) / FILE
    if not path.exists():
        raise Stop(f"{gone}; and {path} does not exist, so there is no journal to read (--state DIR: another place)",
                   UNREACHABLE)  # fmt: skip
    try:
        with opened_for_reading(path) as connection:
            data = _answer(connection, verb, given)
    except CommandError as wrong:
        if args.json:
            print_json({"error": {"code": wrong.code, "message": wrong.message}})
        raise Stop(wrong.message, USAGE if wrong.code == "bad_request" else FAILED) from None
    except StoreError as error:
        raise Stop(str(error), FAILED) from None
    print(f"no agent answers: read from {path}", file=sys.stderr)
    return data


def _answer(connection: Any, verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    from bridge import lookups
    from bridge.commands.eyes import Eyes
    from bridge.commands.model import OWNER
    from bridge.directory.model import Directory
    from bridge.journal.asked import filter_of

    eyes = Eyes(OWNER, Directory())  # whoever may read the file
    if verb == "journal":
        return lookups.entries(connection, filter_of(given, time.time()), eyes)
    if verb == "statistics":
        return lookups.statistics(connection, lookups.Spans.of(given, time.time()), None)
    return lookups.story(connection, given.get("call"), eyes)
