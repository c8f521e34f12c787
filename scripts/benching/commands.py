"""How long each command takes from Enter to its end, beside an interpreter that does nothing.

What asks the agent asks one that runs; what would change or wait for something only tells its help, which imports
its module all the same.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bridge.cli.table import COMMANDS
from tests.support.agent import ENVIRONMENT, Agent, group

TIMES = 5
BARE = "python -c pass"
_ASKED = {
    "check": (),
    "status": (),
    "login": ("all", "all"),
    "logout": ("all", "all"),
    "calls": (),
    "groups": (),
    "lines": (),
    "rights": ("anna",),
    "log": (),
    "journal": (),
    "trace": (),
    "doctor": (),
}


def start_ups(directory: Path) -> dict[str, float]:
    """Return for each command the median of its times, in milliseconds."""
    password = {"password": "201-pass"}
    tables = {
        "lines": {"anna": {"number": "201", **password}},
        "users": {"anna": {"line": "anna"}},
        "groups": {"support": group("600", "anna", always=False)},
    }
    with Agent(directory, **tables) as agent:
        places = ["--config", str(agent.config), "--state", str(agent.state), "--control", str(agent.control)]
        bare, found = [], {BARE: 0.0}
        for name in COMMANDS:
            words = (*_ASKED[name], *places) if name in _ASKED else ("--help",)
            bare.append(
                _median([sys.executable, "-c", "pass"], 1)
            )  # beside each, for the machine may be busy for a while
            found[name] = _median([sys.executable, "-m", "bridge.cli", name, *words])
    return {**found, BARE: statistics.median(bare)}


def table(found: dict[str, float]) -> str:
    """Return the times as a table, with their ratio to the interpreter's own."""
    bare = found[BARE]
    rows = [f"{'':16}  {'ms':>6}  {'ratio to Python':>15}"]
    rows += [f"{name:16}  {taken:6.0f}  {taken / bare:15.1f}" for name, taken in found.items()]
    return "\n".join(rows)


def _median(argv: Sequence[str], times_over: int = TIMES) -> float:
    times = []
    for _ in range(times_over):
        began = time.perf_counter()
        subprocess.run(argv, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
