"""`cti-bridge unpause`: let a member who is paused be rung again."""

from __future__ import annotations

import argparse

from bridge.cli.membership import change, place


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    place(parser)


def run(args: argparse.Namespace) -> int:
    """End the pause; 0 once it is kept and confirmed."""
    return change("unpause", args)
