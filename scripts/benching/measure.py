"""The measurements of one system at a time: start, rest, the highest rate, and what a steady load does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benching import load
from benching.probe import Probe
from benching.systems import System, settle

ALLOWED_FAILURES = 0.01


@dataclass(frozen=True)
class Effort:
    """How long and how often.

    `calls`: one at a time in each round. `steady`: the load beside which delays and memory are taken, calls a second.
    """

    step: float = 2.0
    rounds: int = 5
    calls: int = 40
    idle: float = 10.0
    soak: float = 34.0  # longer than a transaction is remembered (RFC 3261 timers B, D, H: 32 s)
    starts: int = 3
    steady: float = 100.0


QUICK = Effort(step=1.5, rounds=2, calls=20, idle=2.0, soak=4.0, starts=1)

Numbers = dict[str, float]


def start(system: System, effort: Effort) -> Numbers:
    """Return how long it takes until a call is answered."""
    with Probe(system.places) as probe:
        return {"start": statistics.median(_start(system, probe) for _ in range(effort.starts))}


def _start(system: System, probe: Probe) -> float:
    system.start()
    try:
        return probe.first_call()
    except TimeoutError:
        assert system.process is not None
        raise RuntimeError(f"{system.name} answers no call\n{system.process.report()}") from None
    finally:
        system.stop()


def rest(systems: Sequence[System], effort: Effort) -> dict[str, Numbers]:
    """Return what each takes while nothing happens, all of them at the same time; by name."""
    try:
        for system in systems:
            system.serve()
        for system in systems:
            settle(system)
        memory = [system.memory() for system in systems]
        before, began = [system.cpu() for system in systems], time.monotonic()
        time.sleep(effort.idle)
        used = [system.cpu() - cpu for system, cpu in zip(systems, before, strict=True)]
        passed = time.monotonic() - began
    finally:
        for system in systems:
            system.stop()
    return {s.name: {"memory": m, "idle": 100 * u / passed} for s, m, u in zip(systems, memory, used, strict=True)}


def steady(system: System, effort: Effort) -> Numbers:
    """Return how long callers wait for 180, and the memory, while calls come and go."""
    system.serve()
    try:
        with load.members(system.members, system.places):
            load.run(effort.steady, 1.0, system.places)
            return _steady(system, effort)
    finally:
        system.stop()


def _steady(system: System, effort: Effort) -> Numbers:
    with Probe(system.places, members=False) as probe, load.calls(effort.steady, effort.soak, system.places):
        delays: list[float] = []
        memory = 0.0
        deadline = time.monotonic() + effort.soak - 0.5
        while time.monotonic() < deadline:
            delays.append(probe.ring().ringing)
            memory = max(memory, system.memory())
            time.sleep(0.01)
    return {
        "ringing": statistics.median(delays),
        "ringing p99": statistics.quantiles(delays, n=100)[98],
        "busy memory": memory,
    }


def highest_rate(system: System, effort: Effort, first: float = 60.0) -> Numbers:
    """Return the highest rate that goes well: up in steps of a third, then halving the last step three times."""
    system.serve()
    try:
        with load.members(system.members, system.places):
            load.run(first / 2, 1.0, system.places)
            return {"rate": _highest_rate(system, effort, first)}
    finally:
        system.stop()


def _highest_rate(system: System, effort: Effort, first: float) -> float:
    good, bad = 0.0, 0.0
    rate = first
    while not bad and rate < 10_000:
        good, bad = (rate, 0.0) if _goes_well(system, rate, effort) else (good, rate)
        rate *= 4 / 3
    for _ in range(3):
        rate = (good + bad) / 2
        good, bad = (rate, bad) if _goes_well(system, rate, effort) else (good, rate)
    return good


def _goes_well(system: System, rate: float, effort: Effort) -> bool:
    """Whether hardly a call fails, and none is put off until the load is over."""
    result = load.run(rate, effort.step, system.places)
    settle(system, 60.0)
    return result.failures < ALLOWED_FAILURES and result.seconds < effort.step * 1.02 + 0.15
