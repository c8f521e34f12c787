"""How a command ends: its exit code, and an exception for ending early with a message."""

from __future__ import annotations

DONE = 0
FAILED = 1
"""Refused or failed."""
USAGE = 2
"""Wrong usage, a configuration with mistakes included."""
UNREACHABLE = 3
"""No agent answers at the control socket."""
INTERRUPTED = 130


class Stop(Exception):
    """Ends a command: `message` goes to standard error, `code` to the shell."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
