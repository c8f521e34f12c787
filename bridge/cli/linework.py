"""What `dial`, `pickup`, `hangup`, `hold`, `resume`, `transfer`, `divert` and `dnd` have in common."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import clean

RINGS = "rings as usual"


def whose(parser: argparse.ArgumentParser) -> None:
    """Declare whose line it is about."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--line", metavar="LINE", help="the line's name or number (default: one's own)")
    which.add_argument("--member", metavar="MEMBER", help="the user, or device, whose line it is")


def which_call(parser: argparse.ArgumentParser) -> None:
    """Declare which of several calls it is about."""
    parser.add_argument("--call", metavar="ID", help="which call, where the line has several (calls shows them)")


def do(args: argparse.Namespace, verb: str, said: str, **arguments: object) -> int:
    """Have it done, and say so: `said` with the answer's data put in."""
    given = {name: getattr(args, name, None) for name in ("line", "member", "call")}
    data = ask(args, verb, {**given, **arguments})
    if args.json:
        print_json(data)
    else:
        print(clean(said.format_map(data)))
    return DONE


def handling(args: argparse.Namespace, verb: str, **arguments: object) -> int:
    """Change what a line does with its calls, and say what is confirmed."""
    data = ask(args, verb, {"line": args.line, "member": args.member, **arguments})
    if args.json:
        print_json(data)
    else:
        before = "" if data["changed"] else ", as before"
        print(clean(f"{data['line']}: {handling_text(data)}{before}."))
    return DONE


def handling_text(data: Mapping[str, Any]) -> str:
    """Return in words what a line does with its calls."""
    divert = data["divert"]
    said = ["calls are not let through (do not disturb)"] if data["dnd"] else []
    if divert["always"]:
        said.append(f"all calls go to {divert['always']}")
    if divert["busy"]:
        said.append(f"calls go to {divert['busy']} when it is busy")
    if divert["no-answer"]:
        said.append(f"calls go to {divert['no-answer']} after {divert['after']:g} s")
    return "; ".join(said) or RINGS
