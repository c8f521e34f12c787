"""`scripts/bench`: measure, and print one table with the ratios to the peers, the goals, and whether they are met.

Everything that times SIP runs beside Sippy, and beside Kamailio where it is installed; the systems under test are
pinned to one core. With a busy machine trust the ratios, and those taken in turn (delays, cpu) the most.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

from benching import broker, commands, desks, inturn, measure, memory, peers, systems  # noqa: E402  # see above
from benching.inturn import Entrant  # noqa: E402
from benching.measure import Effort, Numbers  # noqa: E402
from benching.relaying import relayed_talks  # noqa: E402
from benching.rows import LINES, NAMES, UP  # noqa: E402
from benching.systems import System, places  # noqa: E402
from benching.table import rows_of, table  # noqa: E402
from benching.waiting import connected_callers, waiting_callers  # noqa: E402

CALLS = ("delays", "cpu", "rate", "steady", "rest", "start")
"""Sections that have peers; the others are ours alone."""

ALONE: dict[str, Callable[[Path, bool], Numbers]] = {
    "desks": lambda place, quick: desks.numbers(desks.QUICK if quick else desks.Effort(), place),
    "mqtt": lambda place, quick: broker.numbers(broker.QUICK if quick else broker.Effort(), place),
    "relay": lambda place, quick: relayed_talks(place, 2.0 if quick else 5.0),
    "waiting": lambda place, quick: {**waiting_callers(place, 2.0 if quick else 5.0), **connected_callers(place)},
    "commands": lambda place, quick: commands.start_ups(place),
    "memory": lambda place, quick: memory.after_calls(systems.bridge(1, places(), place)),
}
SELDOM = ("commands", "memory")  # which are measured only where they are asked for
WITHOUT_SIPP = ("desks", "mqtt", "relay", "waiting", "commands")


class Field:
    """Who is measured: the bridge in all its shapes, and the peers."""

    def __init__(self, directory: Path, peer: str) -> None:
        self._directory = directory
        self.ours = peer != "only"
        self.sippy = peer != "without"
        self.kamailio = peer != "without" and peers.kamailio_program() is not None
        self._made = 0

    def systems(self, counts: Sequence[int]) -> list[System]:
        """Return the bridge with each of these counts of members, and its peers."""
        found = [systems.bridge(count, places(), self._place()) for count in counts] if self.ours else []
        if self.sippy and 1 in counts:
            found.append(peers.sippy(places(), self._place()))
        if self.kamailio:
            found += [peers.kamailio(count, places(), self._place()) for count in counts]
        return found

    def grown(self) -> list[Entrant]:
        """Return the bridge with more lines than usual, and with calls up."""
        if not self.ours:
            return []
        many = systems.bridge(1, places(), self._place(), LINES, lines_in_all=1000)
        return [Entrant(many), Entrant(systems.bridge(1, places(), self._place(), UP), up=500)]

    def sippy_alone(self) -> list[System]:
        """Return what tells how fast this machine is."""
        return [peers.sippy(places(), self._place())] if self.sippy else []

    def _place(self) -> Path:
        self._made += 1
        return self._directory / str(self._made)


def main() -> int:
    """Measure what is asked for; return 0 if all of it could be measured."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what starts is compiled, as an installation is
    options = _options()
    sections = options.rows or [name for name in (*CALLS, *ALONE) if name not in SELDOM]
    needed = ["taskset", *(["sipp"] if set(sections) - set(WITHOUT_SIPP) else [])]
    for program in needed:
        if shutil.which(program) is None:
            print(f"{program} is missing; scripts/test installs what is needed", file=sys.stderr)
            return 1
    systems.leave_core()
    began = time.monotonic()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        results = _measured(sections, options.peer, options.quick, Path(directory), failed)
    if options.json:
        print(json.dumps(results, indent=1))
        return bool(failed)
    print(
        commands.table(results["commands"])
        if sections == ["commands"] and not failed
        else table(results, rows_of(results, sections))
    )
    if options.peer != "without" and set(sections) & set(CALLS):
        print(_missing_peers())
    for what in failed:
        print(f"NOT MEASURED: {what}")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return bool(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two or three minutes: numbers to see a change by")
    names = ", ".join((*CALLS, *ALONE))
    parser.add_argument(
        "--rows",
        nargs="+",
        choices=(*CALLS, *ALONE),
        metavar="ROWS",
        help=f"only these, of {names}; without it all but {' and '.join(SELDOM)}, in less than ten minutes",
    )
    parser.add_argument(
        "--peer", choices=("with", "without", "only"), default="with", help="Sippy and Kamailio beside us"
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return parser.parse_args()


def _measured(
    sections: Sequence[str], peer: str, quick: bool, directory: Path, failed: list[str]
) -> dict[str, Numbers]:
    """Return the numbers by system or section; what could not be measured is added to `failed`, the rest goes on."""
    results: dict[str, Numbers] = {}
    effort = measure.QUICK if quick else Effort()
    if set(sections) & set(CALLS):
        field = Field(directory, peer)
        if field.sippy:
            peers.install_sippy()
        _measure_calls(field, sections, effort, results, failed)
    for name, numbers in ALONE.items():
        if name in sections and peer != "only":
            print(f"measuring {name}", file=sys.stderr)
            with _noted(name, failed):
                results[name] = numbers(directory / name, quick)
    return results


@contextlib.contextmanager
def _noted(what: str, failed: list[str]) -> Iterator[None]:
    """Go on where something cannot be measured."""
    try:
        yield
    except (AssertionError, OSError, RuntimeError) as error:  # a TimeoutError is an OSError
        print(f"{what}: {error}", file=sys.stderr)
        failed.append(f"{what}: {str(error).partition(chr(10))[0] or type(error).__name__}")


def _measure_calls(
    field: Field, sections: Sequence[str], effort: Effort, results: dict[str, Numbers], failed: list[str]
) -> None:
    def note(found: dict[str, Numbers]) -> None:
        for name, numbers in found.items():
            results.setdefault(name, {}).update(numbers)

    if "delays" in sections:
        with _noted("delays", failed):
            note(inturn.delays([Entrant(each) for each in field.systems((1, 20))], effort))
    if "cpu" in sections:
        entrants = [*map(Entrant, field.systems(tuple(NAMES))), *field.grown()]
        with _noted("cpu", failed):
            note(inturn.processor(entrants, effort))
    elif field.sippy:  # for the goals' scale
        note(inturn.processor([*map(Entrant, field.sippy_alone())], effort))
    for section, counts in (("rate", (1, 5)), ("steady", (1,)), ("start", (1,))):
        for system in field.systems(counts) if section in sections else ():
            print(f"measuring {section}: {system.name}", file=sys.stderr)
            with _noted(f"{section}: {system.name}", failed):
                note({system.name: _alone(section, system, effort)})
    if "rest" in sections:
        with _noted("rest", failed):
            note(measure.rest(field.systems((1,)), effort))


def _alone(section: str, system: System, effort: Effort) -> Numbers:
    if section == "rate":
        return measure.highest_rate(system, effort, 600.0 if system.name.startswith("Kamailio") else 100.0)
    return measure.steady(system, effort) if section == "steady" else measure.start(system, effort)


def _missing_peers() -> str:
    asterisk = "Asterisk is not measured: the goals hold its figures, as they were taken once."
    if peers.kamailio_program() is None:
        return f"Kamailio is missing (sudo apt install kamailio). {asterisk}"
    return asterisk


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
