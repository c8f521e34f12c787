"""The measurements, each of one system that is started for it and stopped after it."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benching import load
from benching.probe import Probe
from benching.systems import System, settle

ALLOWED_FAILURES = 0.01


@dataclass(frozen=True)
class Effort:
    """How long and how often; `steady` is the load beside which delays and memory are taken, in calls a second."""

    step: float = 5.0
    calls: int = 200
    idle: float = 10.0
    soak: float = 40.0  # longer than a transaction is remembered (RFC 3261 timers B, D, H: 32 s)
    starts: int = 3
    steady: float = 100.0


QUICK = Effort(step=2.0, calls=40, idle=2.0, soak=4.0, starts=1)

Numbers = dict[str, float]


def single_calls(system: System, effort: Effort) -> Numbers:
    """Start-up, idling, and the delays of calls one at a time."""
    numbers: Numbers = {}
    with Probe(system.places) as probe:
        if system.members == 1:
            numbers["start to first call answered, ms"] = statistics.median(
                _start(system, probe) for _ in range(effort.starts)
            )
        system.serve()
        try:
            settle(system)
            numbers["memory idle, MiB"] = system.memory()
            numbers["idle CPU, %"] = _idle(system, effort)
            calls = [probe.call(system.members) for _ in range(effort.calls)]
        finally:
            system.stop()
    numbers["INVITE in to first member's INVITE, ms"] = statistics.median(c.first_invite for c in calls)
    numbers["member's 200 to caller's 200, ms"] = statistics.median(c.answer_passed_on for c in calls)
    if system.members > 1:
        spread = statistics.median(c.last_invite - c.first_invite for c in calls)
        numbers["first to last member's INVITE, ms"] = spread
        numbers["winner's 200 to last CANCEL, ms"] = statistics.median(c.last_cancel for c in calls)
    return numbers


def many_calls(system: System, effort: Effort) -> Numbers:
    """Processor time a call, the highest rate, and for one member what a steady load does."""
    numbers: Numbers = {}
    system.serve()
    try:
        with load.members(system.members, system.places):
            numbers["CPU per call, ms"] = _cpu_per_call(system, effort)
            if system.members == 1:
                numbers.update(_steady(system, effort))
            if system.members < 20:
                numbers["calls/s at under 1 % failed"] = _highest_rate(system, effort)
    finally:
        system.stop()
    return numbers


def _start(system: System, probe: Probe) -> float:
    system.start()
    try:
        return probe.first_call()
    except TimeoutError:
        assert system.process is not None
        raise RuntimeError(f"{system.name} answers no call\n{system.process.report()}") from None
    finally:
        system.stop()


def _idle(system: System, effort: Effort) -> float:
    before, began = system.cpu(), time.monotonic()
    time.sleep(effort.idle)
    return 100 * (system.cpu() - before) / (time.monotonic() - began)


def _cpu_per_call(system: System, effort: Effort) -> float:
    rate = 20.0 if system.members > 5 else 50.0
    load.run(rate, 1.0, system.places)  # whatever is done only once
    settle(system)
    before = system.cpu()
    result = load.run(rate, effort.step, system.places)
    settle(system)
    return 1000 * (system.cpu() - before) / max(result.good, 1)


def _steady(system: System, effort: Effort) -> Numbers:
    with Probe(system.places, members=False) as probe, load.calls(effort.steady, effort.soak, system.places):
        delays: list[float] = []
        memory = 0.0
        deadline = time.monotonic() + effort.soak - 0.5
        while time.monotonic() < deadline:
            delays.append(probe.ring().ringing)
            memory = max(memory, system.memory())
            time.sleep(0.01)
    settle(system)
    at = f"at {effort.steady:g} calls/s"
    return {
        f"INVITE to 180 {at}, median, ms": statistics.median(delays),
        f"INVITE to 180 {at}, p99, ms": statistics.quantiles(delays, n=100)[98],
        f"memory {at}, MiB": memory,
    }


def _highest_rate(system: System, effort: Effort) -> float:
    """Return the highest rate that goes well: up in steps of a third, then halving the last step three times."""
    good, bad = 0.0, 0.0
    rate = 60.0
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
