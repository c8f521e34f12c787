"""A group of SIPp members with an agent in front of them, and callers: what most call tests need.

    stage = Stage(tmp_path, "parallel", "member_answers", "member_loses_race")
    stage.call("caller_calls_and_hangs_up")
    stage.passed()

Members are the lines m1, m2, ... with the numbers 201, 202, ... in group 600; callers are the lines c1 (301), c2, ...
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.agent import Agent, Table, group, static
from tests.support.ports import free_port
from tests.support.sipp import Sipp


class Part:
    """A member's scenario with SIPp's options: `Part("member_answers", talk=300, literal=True)`."""

    def __init__(self, scenario: str, **options: Any) -> None:
        self.scenario = scenario
        self.options = options


class Stage:
    """An agent, its members and its callers. Use as a context manager; it ends the agent first and checks how."""

    def __init__(
        self,
        directory: Path,
        strategy: str,
        *members: str | Part,
        always: bool = True,
        transport: str = "udp",
        lines: Table | None = None,
        groups: Table | None = None,
        options: Table | None = None,
        first: Sequence[Table] = (),
        more: Sequence[Table] = (),
        callers: int = 2,
        **settings: Any,
    ) -> None:
        """Start members and agent. `settings` are the group's, `first` and `more` members around those.

        `lines`, `groups`, `options` add tables to the configuration.
        """
        self._directory = directory
        self._transport = transport
        self._stack = contextlib.ExitStack()
        self._caller_ports = [free_port() for _ in range(callers)]
        self.callers: list[Sipp] = []
        with contextlib.ExitStack() as undo:
            undo.push(self._stack)
            self.members = [self._member(each) for each in members]
            names = [f"m{number}" for number in range(1, len(members) + 1)]
            every = {
                name: static(f"{200 + int(name[1:])}", member.port, transport=transport)
                for name, member in zip(names, self.members, strict=True)
            }
            for number, port in enumerate(self._caller_ports, 1):
                every[f"c{number}"] = static(f"{300 + number}", port, max_calls=10)
            mine = group("600", *names, always=always, strategy=strategy, **settings)
            mine = {**mine, "members": [*first, *mine["members"], *more]}
            sales = {"sales": mine} if mine["members"] else {}
            self.agent = self._stack.enter_context(
                Agent(
                    directory,
                    lines={**every, **(lines or {})},
                    groups={**sales, **(groups or {})},
                    **(options or {}),
                )
            )
            undo.pop_all()

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, trace)

    def call(self, scenario: str, called: str = "600", **options: Any) -> Sipp:
        """Start the next caller."""
        port = self._caller_ports[len(self.callers)]
        keys = {"caller": f"{301 + len(self.callers)}", **options.pop("keys", {})}
        caller = Sipp(
            scenario, self._directory, remote=self.agent.port, port=port, service=called, keys=keys, **options
        )
        self.callers.append(self._stack.enter_context(caller))
        return caller

    def passed(self) -> None:
        """Wait until all callers and members have gone through their scenarios, and no call is left."""
        with self.telling():
            for sipp in [*self.callers, *self.members]:
                sipp.passed()
            self.agent.wait_idle()

    def refused(self, status: int) -> None:
        """Wait until the last caller has been refused; check with what."""
        with self.telling():
            self.callers[-1].passed()
            found = self.callers[-1].received(r"^SIP/2.0 [3-6]\d\d ")
            assert [int(message.split()[1]) for message in found] == [status], found

    @contextlib.contextmanager
    def telling(self) -> Any:
        """Add what everybody has said to the message of a failure inside."""
        try:
            yield
        except AssertionError as failure:
            told = "\n".join(each.report() for each in [*self.callers, *self.members])
            raise AssertionError(f"{failure}\n======== all of it\n{told}\n{self.agent.report()}") from None

    def _member(self, part: str | Part) -> Sipp:
        given = Part(part) if isinstance(part, str) else part
        stream = "t1" if self._transport == "tcp" else "u1"
        member = Sipp(given.scenario, self._directory, **{"transport": stream, **given.options})
        return self._stack.enter_context(member)
