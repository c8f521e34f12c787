"""`cti-bridge transfer`: connect the other side of a line's call to a number, or to the line's other call."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, which_call, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="where to; left out: the line's other call")
    whose(parser)
    which_call(parser)


def run(args: argparse.Namespace) -> int:
    """Begin it; events tell how it ended."""
    to = args.number or "the other call"
    return do(args, "transfer", f"Call {{call}} of {{line}} is transferred to {to}.", number=args.number)
