"""What the bridge keeps of calls that are over: its memory after a few, and after many."""

from __future__ import annotations

import time

from benching import load
from benching.measure import Numbers
from benching.systems import System, settle

COUNTS = (1_000, 10_000)
RATE = 100.0  # calls a second
FORGOTTEN = 40.0  # seconds, longer than a transaction is remembered (RFC 3261 timers B, D, H: 32 s)


def after_calls(system: System) -> Numbers:
    """Return its memory when it is idle again after so many calls in all."""
    numbers: Numbers = {}
    done = 0
    system.serve()
    try:
        with load.members(system.members, system.places):
            settle(system)
            numbers["memory before any call, MiB"] = system.memory()
            for count in COUNTS:
                result = load.run(RATE, (count - done) / RATE, system.places)
                done = count
                time.sleep(FORGOTTEN)
                settle(system)
                numbers[f"memory after {count:,} calls, MiB"] = system.memory()
                numbers[f"failed of them by then, % ({count:,})"] = 100 * result.failures
    finally:
        system.stop()
    return numbers
