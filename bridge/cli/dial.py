"""`cti-bridge dial`: call a number with the phone of a line."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("number", metavar="NUMBER", help="what to dial: a line, a group, or outside where the line may")
    whose(parser)


def run(args: argparse.Namespace) -> int:
    """Ring the phone, then the number."""
    return do(args, "dial", "{line} rings, then {number} is called.", number=args.number)
