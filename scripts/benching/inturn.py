"""What is measured of several systems in turn, round by round, so that a busy machine is as busy for each of them.

All of them run meanwhile, each with its own callers and members; numbers are medians of the rounds.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benching import load
from benching.measure import Effort, Numbers
from benching.probe import Call, Probe
from benching.systems import System, settle

RATE = 50.0  # calls a second
WARM = 5  # calls of a round that are not counted: before them it was another system's turn


@dataclass(frozen=True)
class Entrant:
    """A system, and how many calls are up on it all the time."""

    system: System
    up: int = 0


def delays(entrants: Sequence[Entrant], effort: Effort) -> dict[str, Numbers]:
    """Measure what each system adds to each step of a call, one call at a time; by the system's name."""
    with contextlib.ExitStack() as stack:
        probes = []
        for entrant in entrants:
            _start(entrant, stack)
            probes.append(stack.enter_context(Probe(entrant.system.places)))
        taken: list[list[Call]] = [[] for _ in entrants]
        for _ in range(effort.rounds):
            for entrant, probe, calls in zip(entrants, probes, taken, strict=True):
                made = [probe.call(entrant.system.members) for _ in range(WARM + effort.calls)]
                calls += made[WARM:]
    return {entrant.system.name: _of_calls(calls) for entrant, calls in zip(entrants, taken, strict=True)}


def _of_calls(calls: Sequence[Call]) -> Numbers:
    return {
        "first invite": statistics.median(call.first_invite for call in calls),
        "answer": statistics.median(call.answer_passed_on for call in calls),
        "all invites": statistics.median(call.last_invite - call.first_invite for call in calls),
        "all cancels": statistics.median(call.last_cancel for call in calls),
    }


def processor(entrants: Sequence[Entrant], effort: Effort) -> dict[str, Numbers]:
    """Measure the processor time of a call, in ms; by the system's name."""
    with contextlib.ExitStack() as stack:
        for entrant in entrants:
            stack.enter_context(load.members(entrant.system.members, entrant.system.places))
            _start(entrant, stack)
            if entrant.up:
                stack.enter_context(load.held(entrant.up, entrant.system.places))
            load.run(RATE, 1.0, entrant.system.places)  # whatever is done only once
        costs: list[list[float]] = [[] for _ in entrants]
        for _ in range(effort.rounds):
            for entrant, found in zip(entrants, costs, strict=True):
                found.append(_cost(entrant, effort.step))
    return {e.system.name: {"cpu": statistics.median(found)} for e, found in zip(entrants, costs, strict=True)}


def _start(entrant: Entrant, stack: contextlib.ExitStack) -> None:
    print(f"starting {entrant.system.name}", file=sys.stderr)
    entrant.system.serve()
    stack.callback(entrant.system.stop)
    settle(entrant.system)


def _cost(entrant: Entrant, seconds: float) -> float:
    system = entrant.system
    settle(system)
    before = system.cpu()
    result = load.run(RATE, seconds, system.places)
    settle(system)
    return 1000 * (system.cpu() - before) / max(result.good, 1)
