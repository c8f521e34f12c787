"""Asks the running agent, and ends the command in words and with an exit code when it refuses."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from bridge.cli.ending import FAILED, UNREACHABLE, USAGE, Stop
from bridge.cli.places import find_control
from bridge.control.client import Agent, AgentUnreachable


def connect(args: argparse.Namespace) -> Agent:
    """Return a connection to the agent that the global options name. Raises Stop."""
    try:
        return Agent(find_control(args.control, args.state))
    except AgentUnreachable as gone:
        raise Stop(str(gone), UNREACHABLE) from None


def ask(args: argparse.Namespace, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the agent's answer. Raises Stop."""
    with connect(args) as agent:
        return request(agent, args, verb, arguments)


def request(agent: Agent, args: argparse.Namespace, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an answer over a connection that is open. Raises Stop."""
    try:
        given = {key: value for key, value in arguments.items() if value is not None}
        answer = agent.request(verb, given, who=args.who)
    except AgentUnreachable as gone:
        raise Stop(str(gone), UNREACHABLE) from None
    error = answer.get("error")
    if error:
        if args.json:
            print_json({"error": error})
        raise Stop(error["message"], USAGE if error["code"] == "bad_request" else FAILED)
    data: dict[str, Any] = answer["data"]
    return data


def print_json(body: Mapping[str, Any]) -> None:
    """Print for machines, readable for people too."""
    json.dump(body, sys.stdout, indent=2, ensure_ascii=not _unicode(), allow_nan=False)
    print()


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
