"""`cti-bridge log`: have the agent log more, or less, for a while; the lines are where its log always is."""

from __future__ import annotations

import argparse

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE, USAGE, Stop
from bridge.cli.text import columns, span

LEVELS = ("debug", "info", "notice", "warning", "usual")
TOPICS = ("sip", "calls", "logins", "lines", "trunks", "desks", "bridge", "all")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("level", metavar="LEVEL", nargs="?", choices=LEVELS, help=f"{', '.join(LEVELS)} (only tell)")
    parser.add_argument("topic", metavar="TOPIC", nargs="?", choices=TOPICS, help=f"{', '.join(TOPICS)} (all)")
    parser.add_argument("--for", dest="length", metavar="TIME", help='for how long, as "10m" (10 min)')


def run(args: argparse.Namespace) -> int:
    """Set, and show what is set."""
    if args.length and not args.level:
        raise Stop(f"--for needs a level: {', '.join(LEVELS)}", USAGE)
    data = ask(args, "log", {"level": args.level, "topic": args.topic, "for": args.length})
    if args.json:
        print_json(data)
        return DONE
    rows = [
        (topic, each["level"], f"for {span(each['for'])} more" if each["for"] is not None else "")
        for topic, each in data["topics"].items()
    ]
    print(columns(rows, ("TOPIC", "LEVEL", "")))
    return DONE
