"""One soak: calls by chance against the agent as a process, and what is left of them when all is quiet again."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scripts.soaking.house import NUMBERS, People, stations, tables
from scripts.soaking.phones import Orders, Station, argument
from tests.support.agent import ENVIRONMENT, Agent
from tests.support.process import Process

ROOT = Path(__file__).resolve().parent.parent.parent
GROWTH = 64.0
"""MiB that the agent may have grown by: it keeps the last stories, messages and answers, all of them bounded."""

HASTE: dict[str, Any] = {"pace": 0.2, "silence": False, "away": 4.0}
"""How it is warmed up: nothing of it is compared."""

OF_THE_PROCESS = ("tasks", "file descriptors", "threads", "memory, MiB")
"""What the first calls may make more of, for good."""

Numbers = dict[str, float]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much of it. `warm`: calls before anything is compared. `rest`: seconds that the bridge has to come to rest.

    `silence`: see `Habits`. `away`: seconds that a deaf phone is away. `forgotten`: wait until transactions, which live
    for half a minute, are gone. `constants`: see `Agent`, for who cannot wait as long as people can.
    """

    calls: int = 10_000
    rate: float = 20.0
    seed: int = 1
    warm: int = 300
    loss: float = 0.0
    pace: float = 1.0
    silence: bool = True
    away: float = 60.0
    orders: float = 0.5  # seconds from one command of somebody to the next
    rest: float = 240.0
    forgotten: bool = True
    constants: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Outcome:
    """What came of it: numbers before, at most, and after; what the phones saw; what is wrong."""

    before: Numbers = field(default_factory=dict)
    most: Numbers = field(default_factory=dict)
    after: Numbers = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Soak:
    """The agent and its phones; `say` takes what somebody who waits likes to read."""

    def __init__(self, effort: Effort, directory: Path, say: Say) -> None:
        self._effort = effort
        self._directory = directory
        self._say = say
        self._stations = stations()
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Soak; return what came of it."""
        constants = self._effort.constants
        with Agent(
            self._directory / "agent", constants=constants, **tables(self._stations, self._effort.pace)
        ) as agent:
            try:
                self._soak(agent)
            except OSError as gone:  # its control socket
                raise AssertionError(f"the agent is gone: {gone}\n{_end_of(agent)}") from gone
        return self._outcome

    def _soak(self, agent: Agent) -> None:
        effort, outcome = self._effort, self._outcome
        people = People(agent.control, effort.seed, effort.orders)
        people.log_in()
        outcome.before = self._numbers(agent)
        if effort.warm:
            self._say(f"warming up with {effort.warm} calls")
            warming = replace(effort, calls=effort.warm, seed=effort.seed + 1_000_000, **HASTE)
            with self._phones(agent, warming) as phones:
                self._follow(agent, phones)
                outcome.before = self._rest(agent, {**outcome.before, **dict.fromkeys(OF_THE_PROCESS, math.inf)})
        began = time.monotonic()
        self._outcome.most.clear()
        with self._phones(agent, effort) as phones:
            people.begin()
            try:
                told = self._follow(agent, phones, people)
            finally:
                people.end()
            outcome.seconds = time.monotonic() - began
            outcome.commands = dict(people.done)
            self._say("no phone knows of a call any more; waiting for the bridge to be at rest")
            outcome.after = self._rest(agent, outcome.before)
            self._judge(agent, told)

    # -- the phones ------------------------------------------------------------------------------------------------

    def _phones(self, agent: Agent, effort: Effort) -> Process:
        orders = Orders(
            bridge=agent.port,
            stations=[_plain(station) for station in self._stations],
            numbers=list(NUMBERS),
            calls=effort.calls,
            rate=effort.rate,
            seed=effort.seed,
            pace=effort.pace,
            silence=effort.silence,
            away=effort.away,
            loss=effort.loss,
        )
        argv: list[str | Path] = [sys.executable, "-m", "scripts.soaking.phones", argument(orders)]
        return Process(argv, env=ENVIRONMENT, cwd=ROOT)

    def _follow(self, agent: Agent, phones: Process, people: People | None = None) -> dict[str, Any]:
        """Wait until the phones have made all their calls and know of none any more; return what they tell.

        People go home once all calls are made.
        """
        seen = 0
        while True:
            lines = phones.stdout.splitlines(keepends=True)
            for line in lines[seen:]:
                if line.endswith("\n"):
                    seen += 1
                    told: dict[str, Any] = json.loads(line)
                    if told["over"]:
                        return told
                    if people is not None and told["made"] >= self._effort.calls:
                        people.end()
                        people = None
                    if seen % 60 == 0:
                        self._say(f"{told['made']} calls made, {told['up']} up at the phones")
            if not phones.running or not agent.process.running:
                raise AssertionError(f"a process ended before its time\n{phones.report()}\n{_end_of(agent)}")
            self._note_most(self._numbers(agent))
            time.sleep(0.5)

    # -- the agent -------------------------------------------------------------------------------------------------

    def _numbers(self, agent: Agent) -> Numbers:
        """Return all that is counted, of the agent's own knowledge and of the kernel's."""
        held = agent.ask("diagnosis")["in_use"]
        proc = Path("/proc", str(agent.pid))
        resident = next(line for line in (proc / "status").read_text().splitlines() if line.startswith("VmRSS"))
        return {
            **held,
            "file descriptors": _descriptors(proc),
            "threads": len(os.listdir(proc / "task")),
            "memory, MiB": int(resident.split()[1]) / 1024,
        }

    def _note_most(self, numbers: Numbers) -> None:
        most = self._outcome.most
        for name, value in numbers.items():
            most[name] = max(value, most.get(name, 0))

    def _rest(self, agent: Agent, before: Numbers) -> Numbers:
        """Wait until nothing is left, or what is left does not go away; return what there is then."""
        end = time.monotonic() + self._effort.rest
        while True:
            numbers = self._numbers(agent)
            if not self._more(numbers, before) or time.monotonic() > end:
                return numbers
            time.sleep(0.2)

    def _more(self, numbers: Numbers, before: Numbers) -> Numbers:
        """Return what there is more of than before."""
        found = {}
        for name, value in numbers.items():
            allowed = before[name] + (GROWTH if name == "memory, MiB" else 0.0)
            if value > allowed and (self._effort.forgotten or name != "transactions"):
                found[name] = value - before[name]
        return found

    def _judge(self, agent: Agent, told: dict[str, Any]) -> None:
        """Say what is wrong."""
        outcome = self._outcome
        outcome.counts = told["counts"]
        for name, more in self._more(outcome.after, outcome.before).items():
            outcome.wrong.append(f"{more:g} more {name} than before")
        if outcome.wrong:
            for leg in agent.ask("diagnosis")["legs"]:
                outcome.wrong.append("left: " + ", ".join(f"{key} {value}" for key, value in leg.items()))
            outcome.wrong += [f"left: {call}" for call in agent.ask("calls")["calls"]]
        outcome.wrong += [f"left at a phone: {each}" for each in told["left"]]
        outcome.wrong += told["faults"]
        outcome.wrong += [f"{count} × {what}" for what, count in outcome.commands.items() if "nobody answered" in what]
        outcome.wrong += [_story(agent, wrong) for wrong in [*told["left"], *told["faults"]][:10]]
        if "Traceback" in agent.process.output:
            outcome.wrong.append(agent.process.output[agent.process.output.index("Traceback") :][:3000])


def _end_of(agent: Agent) -> str:
    """Return what the agent has said last, and how it ended if it has."""
    lines = agent.process.output.splitlines()
    return f"exit code {agent.process.returncode}\n" + "\n".join(lines[-100:])


def _story(agent: Agent, wrong: str) -> str:
    """Return what the bridge knows of the call that a complaint is about."""
    named = re.search(r"call (\S+)", wrong)
    try:
        story = agent.ask("explain", call=named[1] if named else "")
    except AssertionError:
        return f"{named[1] if named else wrong}: the bridge has forgotten it"
    return f"{named[1] if named else wrong}: {json.dumps(story)}"


def _descriptors(proc: Path) -> int:
    """Count a process's open files, but not the connection that has just been asked over, which it may still close."""
    counts = []
    for _ in range(3):
        counts.append(len(os.listdir(proc / "fd")))
        time.sleep(0.01)
    return min(counts)


def _plain(station: Station) -> dict[str, Any]:
    return dict(vars(station))


def table(outcome: Outcome) -> str:
    """Lay out what there was before, at most, and after."""
    rows = [["", "before", "at most", "after"]]
    for name, value in outcome.before.items():
        most = max(outcome.most.get(name, 0), value)
        rows.append([name.replace("_", " "), *(f"{each:.0f}" for each in (value, most, outcome.after.get(name, 0)))])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[0]) if not at else cell.rjust(widths[at]) for at, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
