"""`cti-bridge pause`: let a member who is logged in not be rung."""

from __future__ import annotations

import argparse

from bridge.cli.membership import change, place, span_and_reason


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    place(parser)
    span_and_reason(parser)


def run(args: argparse.Namespace) -> int:
    """Pause; 0 once it is kept and confirmed."""
    return change("pause", args)
