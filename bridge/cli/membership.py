"""What `login`, `logout`, `pause` and `unpause` have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import clean, clock


def place(parser: argparse.ArgumentParser) -> None:
    """Declare whom it is about."""
    parser.add_argument("group", metavar="GROUP", help="the group's name or number, or all")
    parser.add_argument("member", metavar="MEMBER", help="the member's name, or all")


def span_and_reason(parser: argparse.ArgumentParser) -> None:
    """Declare for how long, and why."""
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--for", dest="span", metavar="TIME", help='for how long: "2h", "15m", "1h30m"')
    span.add_argument("--until", metavar="TIME", help='until when: "14:00", or a date and time in ISO 8601')
    parser.add_argument("--reason", metavar="TEXT", help="why, for the others to see")


def change(verb: str, args: argparse.Namespace) -> int:
    """Do it, and say what is confirmed."""
    asked = {"group": args.group, "member": args.member}
    asked |= {key: getattr(args, name, None) for key, name in _OPTIONS.items()}
    data = ask(args, verb, asked)
    if args.json:
        print_json(data)
        return DONE
    for entry in data["changed"]:
        print(f"{_who(entry)} {_now(entry)}.")
    for entry in data["unchanged"]:
        print(f"{_who(entry)} {_now(entry)}, as before.")
    if not data["changed"] and not data["unchanged"]:
        print("There is nobody whom this is about.")
    for warning in data["warnings"]:
        print(f"Note: {clean(warning)}.", file=sys.stderr)
    return DONE


_OPTIONS = {"for": "span", "until": "until", "reason": "reason"}


def _who(entry: Mapping[str, Any]) -> str:
    return clean(entry["member"])


def _now(entry: Mapping[str, Any]) -> str:
    """Return what is true now: "is logged in to support until 14:00 (early)"."""
    if entry["paused"]:
        what = f"is paused in {entry['group']}"
    elif entry["login"] == "ON":
        what = f"is logged in to {entry['group']}"
    else:
        what = f"is logged out of {entry['group']}"
    until = f" until {clock(entry['until'])}" if entry["until"] else ""
    reason = f" ({entry['reason']})" if entry["reason"] else ""
    return clean(what + until + reason)
