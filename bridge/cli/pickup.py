"""`cti-bridge pickup`: take a call that rings elsewhere."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, which_call, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("at", metavar="GROUP|LINE", help="where it rings: a group's name or number, or a line's")
    whose(parser)
    which_call(parser)


def run(args: argparse.Namespace) -> int:
    """Let it ring at the own phone instead."""
    return do(args, "pickup", "Call {call} goes to {line}.", number=args.at)
