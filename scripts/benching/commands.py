"""How long each command takes to start: what it imports and declares, told by --help, beside an empty Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from bridge.cli.table import COMMANDS

Numbers = dict[str, float]


def start_ups(times: int) -> Numbers:
    """Return milliseconds for each command, the median of so many runs, and for Python alone."""
    found = {"Python alone, start-up, ms": _median([sys.executable, "-c", "pass"], times)}
    for name in COMMANDS:
        found[f"{name}, start-up, ms"] = _median([sys.executable, "-m", "bridge.cli", name, "--help"], times)
    return found


def _median(argv: Sequence[str], times: int) -> float:
    return statistics.median(_milliseconds(argv) for _ in range(times))


def _milliseconds(argv: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000
