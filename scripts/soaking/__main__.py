"""`scripts/soak`: let thousands of calls happen by chance, then print what is left of them; 1 if there is anything."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from scripts.soaking.soak import Effort, Soak, table


def main() -> int:
    """Soak as it is asked for."""
    usual = Effort()
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=usual.calls, help=f"how many (default: {usual.calls})")
    parser.add_argument("--rate", type=float, default=usual.rate, help=f"calls a second (default: {usual.rate:g})")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000, help="what chance begins with")
    parser.add_argument("--loss", type=float, default=0.0, help="percent of datagrams lost, doubled, and overtaken")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    effort = Effort(calls=options.calls, rate=options.rate, seed=options.seed, loss=options.loss / 100)
    print(f"seed {effort.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        outcome = Soak(effort, Path(directory), lambda text: print(text, file=sys.stderr, flush=True)).run()
    if options.json:
        print(json.dumps({"seed": effort.seed, **asdict(outcome)}, indent=1))
    else:
        print(table(outcome))
        for told in (outcome.counts, outcome.commands):
            print("\n" + ", ".join(f"{name}: {count}" for name, count in sorted(told.items())))
        print(f"\n{effort.calls} calls in {outcome.seconds:.0f} s, seed {effort.seed}")
    for wrong in outcome.wrong:
        print(wrong, file=sys.stderr)
    print("something is wrong or left" if outcome.wrong else "nothing is left", file=sys.stderr)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
