"""`cti-bridge hold`: let the other side of a line's call wait."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, which_call, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    whose(parser)
    which_call(parser)


def run(args: argparse.Namespace) -> int:
    """Hold it."""
    return do(args, "hold", "Call {call} of {line} is on hold.")
