"""`cti-bridge dnd`: let a line not be disturbed by calls."""

from __future__ import annotations

import argparse

from bridge.cli.linework import handling, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    choices = ("on", "off", "toggle")
    parser.add_argument("on", metavar="on|off|toggle", choices=choices, help="whether it is not to be disturbed")
    whose(parser)


def run(args: argparse.Namespace) -> int:
    """Set it; 0 once it is kept and confirmed."""
    return handling(args, "dnd", on=args.on)
