"""`cti-bridge simulate`: rehearse a configuration, or two side by side, with a day's calls."""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bridge.cli.asking import print_json
from bridge.cli.configuration import configured, configured_here
from bridge.cli.ending import DONE, USAGE, Stop
from bridge.cli.reading import look_up
from bridge.cli.text import clean, columns

if TYPE_CHECKING:
    from bridge.directory.model import Directory
    from bridge.rehearsal.measure import Outcome
    from bridge.rehearsal.model import Arrival, Played

JOURNALED = 10_000  # calls that are taken from the journal at the most


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--against", metavar="FILE", help="another configuration, to be rehearsed with the same calls")
    parser.add_argument("--group", metavar="GROUP", action="append", help="only this group's calls (all with a number)")
    calls = parser.add_argument_group("the calls: of a day that might be, unless the journal's are asked for")
    calls.add_argument("--journal", metavar="SINCE", help="those of the journal since then: yesterday, 2026-11-23")
    calls.add_argument("--day", metavar="DATE", help="which day might be, for schedules and hours (the next Monday)")
    calls.add_argument("--calls", type=_number(0, 10_000), default=20.0, metavar="N", help="in a usual hour (20)")
    calls.add_argument("--talk", type=_number(1, 7200), default=180.0, metavar="SECONDS", help="in the mean (180)")
    people = parser.add_argument_group("how people behave, in the mean")
    people.add_argument("--patience", type=_number(1, 86_400), default=90.0, metavar="SECONDS", help="callers (90)")
    people.add_argument("--answer", type=_number(0, 600), default=5.0, metavar="SECONDS", help="members pick up (5)")
    people.add_argument("--miss", type=_number(0, 1), default=0.05, metavar="SHARE", help="offers that ring out (0.05)")
    parser.add_argument("--seed", type=int, default=1, help="another number is another day of the same kind (1)")
    parser.add_argument("--svg", metavar="FILE", help="draw calls, waits and losses over the day")


def _number(least: float, most: float) -> Any:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{least:g} to {most:g} are right")
        return value

    return number


def run(args: argparse.Namespace) -> int:
    """Rehearse, and tell what came of it."""
    from bridge.rehearsal.measure import occupancies, outcomes, slots
    from bridge.rehearsal.picture import picture

    candidates = _candidates(args)
    arrivals = _arrivals(args, next(iter(candidates.values())))
    if not arrivals:
        raise Stop("there is no call to rehearse with; right is more --calls, or an earlier --journal")
    played = {name: _played(args, directory, arrivals) for name, directory in candidates.items()}
    if args.svg:
        _write(args.svg, picture({name: slots(each) for name, each in played.items()}))
    found = {name: (outcomes(each), occupancies(each)) for name, each in played.items()}
    if args.json:
        told = {
            name: {
                "groups": {group: each.to_json() for group, each in groups.items()},
                "members": {member: round(share, 3) for member, share in members.items()},
            }
            for name, (groups, members) in found.items()
        }
        print_json({"calls": len(arrivals), "seed": args.seed, "rehearsals": told})
    else:
        print(_text(len(arrivals), found))
    return DONE


def _candidates(args: argparse.Namespace) -> dict[str, Directory]:
    """Return the configurations by their files' names."""
    from bridge.config.domain import directory_of

    path, settings = configured_here(args)
    found = {path.name: directory_of(settings)}
    if args.against:
        other, settings = configured(args.against)
        found[other.name if other.name != path.name else str(other)] = directory_of(settings)
    return found


def _groups(args: argparse.Namespace, directory: Directory) -> list[str]:
    if not args.group:
        return [name for name, group in directory.groups.items() if group.number and group.active and group.members]
    groups = []
    for key in args.group:
        group = directory.group(key)
        if group is None:
            raise Stop(f"there is no group {key!r}; groups are: {', '.join(directory.groups) or 'none'}", USAGE)
        groups.append(group.name)
    return groups


def _arrivals(args: argparse.Namespace, directory: Directory) -> list[Arrival]:
    from bridge.rehearsal.day import might_be, that_was

    groups = _groups(args, directory)
    if not groups:
        raise Stop("no group has a number and members; there is nothing to rehearse", USAGE)
    rng = Random(args.seed)
    if args.journal is None:
        return might_be(groups, _midnight(args.day), args.calls, args.talk, args.patience, rng)
    data = look_up(args, "journal", {"since": args.journal, "only": "calls", "last": JOURNALED})
    return that_was(data["entries"], groups, args.patience, rng)


def _midnight(day: str | None) -> float:
    today = datetime.date.fromtimestamp(time.time())
    if day is None:
        chosen = today + datetime.timedelta(days=(7 - today.weekday()) % 7 or 7)
    else:
        try:
            chosen = datetime.date.fromisoformat(day)
        except ValueError:
            raise Stop(f"--day {day!r} is no date; right is 2026-11-23", USAGE) from None
    return datetime.datetime.combine(chosen, datetime.time()).timestamp()


def _played(args: argparse.Namespace, directory: Directory, arrivals: Sequence[Arrival]) -> Played:
    from bridge.rehearsal.model import Manner
    from bridge.rehearsal.stage import Stage

    unknown = sorted({arrival.group for arrival in arrivals} - set(directory.groups))
    if unknown:
        raise Stop(
            f"the other configuration has no group {', '.join(unknown)}; --group names those to be compared", USAGE
        )
    return Stage(directory, Manner(args.answer, args.miss), Random(args.seed + 1)).play(arrivals)


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None


def _text(calls: int, found: Mapping[str, tuple[Mapping[str, Outcome], Mapping[str, float]]]) -> str:
    names = list(found)
    parts = [f"{calls} calls"]
    groups = dict.fromkeys(group for outcomes, _ in found.values() for group, each in outcomes.items() if each.calls)
    for group in groups:
        here = [outcomes[group] for outcomes, _ in found.values() if group in outcomes]
        rows = [(label, *(_cell(getattr(each, key), kind) for each in here)) for key, label, kind in _ROWS]
        parts.append(columns(rows, (group.upper(), *map(clean, names))))
    members = dict.fromkeys(member for _, shares in found.values() for member in shares)
    shares = [(member, *(_cell(found[name][1].get(member), "share") for name in names)) for member in members]
    parts.append(columns(shares, ("TALKING", *map(clean, names))))
    return "\n\n".join(parts)


_ROWS = (
    ("calls", "calls", "count"),
    ("answered", "answered", "count"),
    ("abandoned", "abandoned", "count"),
    ("lost", "nobody took them", "count"),
    ("mean_wait", "mean wait", "seconds"),
    ("most_wait", "nine in ten waited at most", "seconds"),
    ("longest_wait", "longest wait", "seconds"),
    ("service_level", "answered within 20 s", "share"),
    ("occupancy", "members talk", "share"),
)


def _cell(value: float | None, kind: str) -> str:
    if value is None:
        return "-"
    return {"count": f"{value:.0f}", "seconds": f"{value:.0f} s", "share": f"{value:.0%}"}[kind]
