"""Calls in numbers, made and taken by SIPp."""

from __future__ import annotations

import contextlib
import csv
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benching.systems import Places
from tests.support.process import Process
from tests.support.sipp import SCENARIOS, is_bound

ANSWER_AFTER = 20  # milliseconds that the first member rings; the others have rung by then
HELD_RATE = 100  # calls a second, of those that stay up
PATIENCE = 4000  # milliseconds without the message that is due, after which a call has failed


@dataclass(frozen=True)
class Result:
    """How a load went: calls that went through, calls that did not, seconds it took."""

    good: int
    failed: int
    seconds: float

    @property
    def failures(self) -> float:
        """The share of calls that failed."""
        return self.failed / max(self.good + self.failed, 1)


@contextlib.contextmanager
def members(count: int, places: Places) -> Iterator[None]:
    """Play the members: the first answers, the others ring until they are told that it was answered elsewhere."""
    with contextlib.ExitStack() as stack:
        roles = [("member_answers", places.winner), ("member_loses_race", places.losers)]
        for scenario, port in roles if count > 1 else roles[:1]:
            process = stack.enter_context(Process(_sipp(scenario, port, "-d", str(ANSWER_AFTER))))
            process.serves(lambda port=port: is_bound("127.0.0.1", port, "udp"), "SIPp listens")  # type: ignore[misc]
        yield


@contextlib.contextmanager
def calls(rate: float, seconds: float, places: Places) -> Iterator[Process]:
    """Call `rate` times a second while the block runs, for `seconds` at the most."""
    with Process(_caller(rate, seconds, places)) as process:
        yield process


@contextlib.contextmanager
def held(count: int, places: Places) -> Iterator[None]:
    """Have so many calls up, whose callers talk on and on."""
    argv = _sipp("caller_calls_and_hangs_up", places.held, "-s", "600", "-key", "caller", "303", "-d", "86400000")
    argv += ["-r", str(HELD_RATE), "-m", str(count), "-l", str(count), f"127.0.0.1:{places.system}"]
    with Process(argv):
        time.sleep(count / HELD_RATE + 1.0)
        yield


def run(rate: float, seconds: float, places: Places) -> Result:
    """Call `rate` times a second for some seconds; return how it went."""
    with tempfile.TemporaryDirectory() as directory:
        numbers = Path(directory) / "numbers.csv"
        argv = _caller(rate, seconds, places, "-trace_stat", "-stf", str(numbers), "-fd", "1")
        with Process(argv) as process:
            process.wait(seconds + 30.0)
        return _result(numbers, round(rate * seconds))


def _caller(rate: float, seconds: float, places: Places, *more: str) -> list[str]:
    argv = _sipp("caller_calls_and_hangs_up", places.load, "-s", "600", "-key", "caller", "301", "-d", "0")
    argv += ["-r", f"{rate:g}", "-m", str(round(rate * seconds)), "-l", "20000"]
    argv += ["-recv_timeout", str(PATIENCE), "-timeout", f"{seconds + 15:g}s"]
    return [*argv, *more, f"127.0.0.1:{places.system}"]


def _sipp(scenario: str, port: int, *more: str) -> list[str]:
    argv = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-nostdin", "-skip_rlimit", "-i", "127.0.0.1"]
    argv += ["-p", str(port), "-mi", "127.0.0.1", "-ci", "127.0.0.1", "-bind_local", "-deadcall_wait", "0"]
    return ["env", "TERM=dumb", *argv, "-f", "60", "-buff_size", "1048576", "-key", "stream", "udp", *more]


def _result(numbers: Path, wanted: int) -> Result:
    """Read SIPp's statistics; calls that it never came to make have failed too."""
    if not numbers.exists():
        return Result(0, wanted, 0.0)
    with open(numbers, newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    good = int(last["SuccessfulCall(C)"])
    began, ended = (float(last[column].split("\t")[-1]) for column in ("StartTime", "CurrentTime"))
    return Result(good, wanted - good, ended - began)
