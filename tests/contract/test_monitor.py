"""`cti-bridge monitor` in a real terminal: what is seen is on file, keys do what commands do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import ENVIRONMENT, Agent, group, static
from tests.support.process import Process
from tests.support.sipp import Sipp
from tests.support.tmux import Tmux

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]
Terminals = Callable[..., Tmux]
HIDDEN = ((r"\b\d\d:\d\d\b", "hh:mm"), (r"cti-bridge \d\S*", "cti-bridge V"), (r"(127.0.0.1):\d{5}\b", r"\1:NNNNN"))
"""Times of day, versions and ports differ from run to run."""


@pytest.fixture
def office(bridge: Bridges, sipp: Sipps) -> Agent:
    """A bridge with a user, a phone that rings and does not answer, and one who calls."""
    member = sipp("member_rings_until_cancelled")
    lines = {
        "a": {"number": "201", "password": "a"},
        "m": static("202", member.port),
        "c": {"number": "203", "password": "c"},
    }
    both: dict[str, Any] = {"members": ["anna", {"line": "m", "login": "always"}]}
    users = {"anna": {"name": "Anna Schmidt", "line": "a"}}
    groups = {"support": group("600", name="Support", **both), "sales": group("601", members=["anna"])}
    return bridge(lines=lines, users=users, groups=groups)


@pytest.fixture
def terminal(office: Agent, tmp_path: Path) -> Iterator[Terminals]:
    """Return what opens a terminal with the monitor in it."""
    with ExitStack() as stack:

        def start(*options: str, width: int = 80, height: int = 24) -> Tmux:
            argv = office.argv("monitor", *options)
            found = stack.enter_context(Tmux(tmp_path, argv, ENVIRONMENT, (width, height)))
            found.shows("log in" if width > 70 else "i in")
            return found

        yield start


def test_the_whole_state_is_seen(office: Agent, terminal: Terminals) -> None:
    """80×24, as it is on file: what is wrong, groups with members, lines of nobody, calls, last events, keys."""
    office.login("sales", "anna")
    screen = terminal()
    screen.shows("LAST EVENTS")
    screen.looks_like("monitor-80x24", *HIDDEN)


def test_what_happens_elsewhere_is_seen_at_once(office: Agent, terminal: Terminals) -> None:
    """A login, and a call that rings, without a key being pressed."""
    screen = terminal()
    office.login("support", "anna")
    screen.shows("600 support: parallel, 2 of 2 in", "support: anna logged in by owner (control)")
    with Process(office.argv("test-call", "600", "--line", "c", "--wait", "20"), env=ENVIRONMENT) as call:
        screen.shows("CALLS", "203 to 600 (support) since", "rings m", "ringing")
        call.end()
    screen.shows("no calls are up", "abandoned")


def test_keys_log_in_out_and_pause(office: Agent, terminal: Terminals) -> None:
    """They act on the chosen member; what is shown is what was confirmed, and a refusal is told in words."""
    screen = terminal()
    screen.shows("> Anna Schmidt (anna)")
    screen.type("i")
    screen.shows("2 of 2 in")
    screen.type("p")
    screen.shows("paused", "(by monitor)")
    screen.type("u", "o")
    screen.shows("1 of 2 in", "logged out")
    screen.type("Down", "o")
    screen.shows("m is always logged in to group support")
    assert office.ask("member", group="support", member="anna")["login"] == "OFF"
    screen.type("g")
    screen.shows("no call rings")
    screen.type("q")
    assert screen.ended() == 0


def test_it_fits_any_terminal(office: Agent, terminal: Terminals) -> None:
    """40×10: what is chosen stays in sight; a terminal that becomes larger is used."""
    screen = terminal(width=40, height=10)
    assert all(len(line) <= 40 for line in screen.screen.splitlines())
    screen.type("Down", "Down")
    screen.shows("> Anna")
    screen.resize(100, 30)
    screen.shows("LAST EVENTS", "OTHER LINES")


def test_it_ends_when_the_agent_does(office: Agent, terminal: Terminals) -> None:
    """With exit code 3, and why."""
    screen = terminal()
    office.process.end()
    assert screen.ended() == 3
    screen.shows("has ended")
    office.start()


def test_without_a_terminal_it_says_what_is_right(office: Agent) -> None:
    """A pipe is told of status --json, by 2."""
    with Process(office.argv("monitor"), env=ENVIRONMENT) as command:
        assert command.wait() == 2
        assert "status --json" in command.output
