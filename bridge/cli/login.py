"""`cti-bridge login`: log a member in to a group, for good or for a while."""

from __future__ import annotations

import argparse

from bridge.cli.membership import change, place, span_and_reason


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    place(parser)
    span_and_reason(parser)


def run(args: argparse.Namespace) -> int:
    """Log in; 0 once it is kept and confirmed."""
    return change("login", args)
