"""`cti-bridge divert`: let the calls of a line go elsewhere."""

from __future__ import annotations

import argparse

from bridge.cli.linework import handling, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("number", metavar="NUMBER|off", help="where to, or off")
    whens = ("always", "busy", "no-answer")
    parser.add_argument("--when", choices=whens, default="always", help="which calls (default: always)")
    parser.add_argument("--after", metavar="TIME", help="how long it rings before, for no-answer (default: 20s)")
    whose(parser)


def run(args: argparse.Namespace) -> int:
    """Set it; 0 once it is kept and confirmed."""
    return handling(args, "divert", number=args.number, when=args.when, after=args.after)
