"""`scripts/bench`: measure, and print one table with the ratios to the peer."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

from benching import broker, commands, desks, measure, memory, systems  # noqa: E402  # found only through the path above
from benching.commands import start_ups  # noqa: E402
from benching.relaying import relayed_talks  # noqa: E402
from benching.waiting import connected_callers, waiting_callers  # noqa: E402
from tests.support.ports import free_port  # noqa: E402

COUNTS = (1, 5, 20)


def main() -> int:
    """Measure what is asked for; return 0 if all of it could be measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute: numbers to see a change by")
    parser.add_argument("--members", default="1,5,20", help="for which group sizes, of 1, 5, 20 (default: all)")
    parser.add_argument("--peer", choices=("with", "without", "only"), default="with", help="Sippy beside us")
    parser.add_argument("--commands", action="store_true", help="only how long each command takes to start and end")
    parser.add_argument("--memory", action="store_true", help="only what memory is left of 10,000 calls; some minutes")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    if options.commands:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            found = commands.start_ups(Path(directory))
        print(json.dumps(found, indent=1) if options.json else commands.table(found))
        return 0
    counts = [int(word) for word in options.members.split(",") if word]
    for program in ("sipp", "taskset"):
        if shutil.which(program) is None:
            print(f"{program} is missing; scripts/test installs what is needed", file=sys.stderr)
            return 1
    systems.leave_core()
    effort = measure.QUICK if options.quick else measure.Effort()
    if options.memory:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            system = systems.bridge(1, _places(), Path(directory))
            results = {system.name: memory.after_calls(system)}
        print(json.dumps(results, indent=1) if options.json else _table(results))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        candidates = _candidates(Path(directory), counts, options.peer)
        results = {system.name: _measured(system, effort) for system in candidates}
        if options.peer != "only" and 1 in counts:
            print("measuring desks", file=sys.stderr)
            trying = desks.QUICK if options.quick else desks.Effort()
            results[candidates[0].name].update(desks.numbers(trying, Path(directory)))
        if options.peer != "only" and 1 in counts:
            print("measuring MQTT", file=sys.stderr)
            asking = broker.QUICK if options.quick else broker.Effort()
            results[candidates[0].name].update(broker.numbers(asking, Path(directory)))
        if options.peer != "only" and counts:
            print("measuring the relay", file=sys.stderr)
            results[candidates[0].name].update(relayed_talks(Path(directory) / "relay", effort.step))
            print("measuring commands", file=sys.stderr)
            took = start_ups(Path(directory) / "commands")
            results[candidates[0].name].update({f"time of {name}, ms": each for name, each in took.items()})
            print("measuring callers who wait", file=sys.stderr)
            results[candidates[0].name].update(waiting_callers(Path(directory) / "waiting", effort.step))
            results[candidates[0].name].update(connected_callers(Path(directory) / "connected"))
    print(json.dumps(results, indent=1) if options.json else _table(results))
    return 0


def _candidates(directory: Path, counts: list[int], peer: str) -> list[systems.System]:
    found = []
    if peer != "only":
        found = [systems.bridge(count, _places(), directory / f"bridge-{count}") for count in counts]
    if peer != "without":
        systems.install_peer()
        found.insert(1, systems.sippy(_places(), directory / "sippy"))
    return found


def _places() -> systems.Places:
    return systems.Places(free_port(), free_port(), free_port(), free_port(), free_port())


def _measured(system: systems.System, effort: measure.Effort) -> measure.Numbers:
    print(f"measuring {system.name}", file=sys.stderr)
    return {**measure.single_calls(system, effort), **measure.many_calls(system, effort)}


def _table(results: dict[str, measure.Numbers]) -> str:
    """Lay the numbers out; the ratio is the first system's to the second's, where that is the peer."""
    names = list(results)
    peer = next((name for name in names if name.startswith("Sippy")), None)
    ours = next((name for name in names if name != peer), None)
    rows = list(dict.fromkeys(key for numbers in results.values() for key in numbers))
    columns = ["", *names, *(["ratio to Sippy"] if peer and ours else [])]
    lines = [columns]
    for row in rows:
        cells = [_cell(results[name].get(row)) for name in names]
        if peer and ours:
            mine, theirs = results[ours].get(row), results[peer].get(row)
            cells.append(f"{mine / theirs:.2f}" if mine is not None and theirs else "")
        lines.append([row, *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    text = [_line(line, widths) for line in lines]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def _cell(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.2f}"


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = (
        cell.ljust(width) if not at else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
