"""`cti-bridge hangup`: end the call of a line."""

from __future__ import annotations

import argparse

from bridge.cli.linework import do, which_call, whose


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    whose(parser)
    which_call(parser)


def run(args: argparse.Namespace) -> int:
    """End it."""
    return do(args, "hangup", "Call {call} of {line} is ended.")
