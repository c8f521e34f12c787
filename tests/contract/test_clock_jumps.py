"""The clock is set by hours while the real bridge runs, as on a Pi that has no battery for it: nothing breaks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.process import wait_until

HOURS = 3600.0
NUMBERS = {"anna": "201", "ben": "202"}
LINES = {name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()}


class Code:
    """A value that is written into the program as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class Clock:
    """The bridge's time of day: the machine's and so many seconds, which can be set while it runs."""

    def __init__(self, directory: Path) -> None:
        self._ahead = directory / "ahead"
        self._ahead.write_text("0")
        self._told = directory / "told"
        os.mkfifo(self._told)
        self._fd = os.open(self._told, os.O_RDWR)
        ahead, told = repr(str(self._ahead)), repr(str(self._told))
        read = f"float(__import__('pathlib').Path({ahead}).read_text())"
        self.constants = {
            "time.time": Code(f"(lambda real: lambda: real() + {read})(time.time)"),
            "bridge.clock._watch_settings": Code(f"lambda: __import__('os').open({told}, {os.O_RDWR})"),
        }

    def set(self, ahead: float) -> None:
        """Set it, as the kernel tells who watches it."""
        fresh = self._ahead.with_suffix(".new")
        fresh.write_text(str(ahead))
        fresh.rename(self._ahead)
        os.write(self._fd, b"set here")

    def close(self) -> None:
        """Close what it has open."""
        os.close(self._fd)


def is_kept(agent: Agent, line: str, wall: float) -> bool:
    """Whether the agent has written where a line is reached, until some time soon after `wall`."""
    row = re.compile(rb'"line": "%b", "contact": .{,300}?"expires": ([0-9.]+)' % line.encode())
    rows = [found for path in agent.state.glob("kept.db*") for found in row.findall(path.read_bytes())]
    return any(0 < float(until) - wall < 1000 for until in rows)


@pytest.mark.parametrize("ahead", [3 * HOURS, -3 * HOURS, 20_000 * HOURS])
def test_the_clock_is_set(
    bridge: Callable[..., Agent], phone: Callable[..., Baresip], tmp_path: Path, ahead: float
) -> None:
    """A call that rings is answered, a talk ends as ever, and a restart that follows finds phones and logins."""
    with closing(Clock(tmp_path)) as clock:
        agent = bridge(lines=LINES, groups={"sales": group("600", "ben", always=False)}, constants=clock.constants)
        anna, ben = (phone(number=NUMBERS[n], server=agent.port, password=f"{n}-secret") for n in NUMBERS)
        for each in (anna, ben):
            each.wait_registered()
        wait_until(lambda: all(is_kept(agent, name, time.time()) for name in NUMBERS), agent.report)
        agent.login("sales", "ben")
        anna.dial("600")
        ben.wait_ringing()
        clock.set(ahead)
        ben.answer()
        for each in (anna, ben):
            each.wait("CALL_ESTABLISHED")
        clock.set(ahead + 60)
        anna.hang_up()
        ben.wait("CALL_CLOSED")
        agent.wait_idle()
        clock.set(ahead)
        agent.login("sales", "ben")
        wait_until(lambda: all(is_kept(agent, name, time.time() + ahead) for name in NUMBERS), agent.report)
        agent.kill()
        agent.start()
        lines = agent.ask("status")["lines"]
        assert all(lines[name]["reachable"] for name in NUMBERS), agent.report()
        assert agent.ask("groups")["groups"]["sales"]["members"]["ben"]["login"] == "ON"
        anna.dial("600")
        ben.wait_ringing()
        anna.hang_up()
        agent.wait_idle()
