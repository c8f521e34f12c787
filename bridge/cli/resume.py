"""`cti-bridge resume`: go on with a line's call that is on hold."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, which_call, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    whose(parser)
    which_call(parser)


def run(args: argparse.Namespace) -> int:
    """Go on."""
    return do(args, "resume", "Call {call} of {line} goes on.")
