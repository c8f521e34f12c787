"""The running agent with a panel at a real pseudo terminal, and what the command line tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.desk.signals import Signal
from tests.support.agent import ENVIRONMENT, Agent, static
from tests.support.process import Process, wait_until
from tests.support.ptypanel import PtyPanel


class Desk:
    """An agent whose member Anna has a panel with a key and a lamp."""

    def __init__(self, directory: Path) -> None:
        self.panel = PtyPanel(directory / "usb-panel", keys=4, lamps=2, bytewise=True)
        self.panel.plug()
        self.agent = Agent(
            directory / "agent",
            lines={"anna": static("201", 9)},
            users={"anna": {"name": "Anna", "line": "anna"}},
            groups={"support": {"number": "600", "members": ["anna"]}},
            desks={
                "anna": {
                    "member": "anna",
                    "panel": str(self.panel.path),
                    "buttons": [{"key": 1, "press": "toggle support"}, {"key": 2, "hold": "logout all"}],
                    "lamps": [{"lamp": 1, "shows": "login support"}, {"lamp": 2, "shows": "bridge"}],
                }
            },
        )
        wait_until(lambda: self.panel.shows(2) == "steady", "the panel is welcomed")

    def press(self, key: int) -> None:
        """Press a key and let it go, as soon as that is known to be a press."""
        self.panel.move(key, True)
        wait_until(lambda: b" ack boot=" in self.panel.heard, "the press is acknowledged")
        self.panel.heard = b""
        self.panel.move(key, False)
        wait_until(lambda: b" ack boot=" in self.panel.heard, "the release is acknowledged")
        self.panel.heard = b""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open the desk."""
    opened = Desk(tmp_path)
    try:
        with opened.agent:
            yield opened
    finally:
        opened.panel.pull()


def test_a_key_logs_in_and_the_lamp_follows_whatever_door_is_used(desk: Desk) -> None:
    """Key, command line, key: the lamp shows the confirmed state each time."""
    desk.press(1)
    wait_until(lambda: desk.panel.shows(1) == "steady", "logged in")
    assert desk.agent.cli("groups")["groups"]["support"]["members"]["anna"]["origin"] == "panel"
    desk.agent.logout("support", "anna")
    wait_until(lambda: desk.panel.shows(1) == "off", "logged out")
    desk.press(1)
    wait_until(lambda: desk.panel.shows(1) == "steady", "logged in again")


def test_a_panel_that_is_pulled_while_the_login_changes_is_told_when_it_is_back(desk: Desk) -> None:
    """The bridge says that it is gone, and that it is back."""
    desk.panel.pull()
    wait_until(lambda: "panel of desk anna: gone: it is not plugged in" in desk.agent.process.output, "it is told")
    wrong = desk.agent.cli("status")["wrong"]
    assert ("panel of desk anna", "gone") in [(each["what"], each["state"]) for each in wrong]
    desk.agent.login("support", "anna")
    desk.panel.plug()
    wait_until(lambda: desk.panel.shows(1) == "steady", "the lamp is right")


def test_the_list_tells_how_everything_is(desk: Desk) -> None:
    """For people and for machines."""
    listed = desk.agent.cli("desk", "list")["desks"]["anna"]
    assert (listed["panel"]["state"], listed["panel"]["keys"], listed["panel"]["lamps"]) == ("here", 4, 2)
    with command(desk, "list") as said:
        assert said.wait() == 0
        text = re.sub(r"here for [^;]+", "here for a while", said.stdout)
    assert text.splitlines() == [
        "anna: in the name of anna",
        f"  panel {desk.panel.path}: here for a while; firmware 1.0, 4 keys, 2 lamps",
        "  button  key 1   toggle support",
        "  button  key 2   hold: logout all",
        "  lamp    lamp 1  login support     off",
        "  lamp    lamp 2  bridge            steady",
    ]


def test_watching_shows_each_press_and_what_became_of_it(desk: Desk) -> None:
    """Until Ctrl-C, which is its ordinary end."""
    with command(desk, "watch") as watching:
        watching.wait_for("Press a button")
        desk.press(1)
        watching.wait_for(r"anna  key 1 pressed: toggle support$")
        watching.wait_for(r"anna  logged in to support$")
        desk.press(2)
        watching.wait_for(r"anna  key 2 pressed: that does nothing$")
        desk.panel.pull()
        watching.wait_for(r"anna  panel gone: it is not plugged in$")
        assert watching.end(2) == 0


def test_the_test_walks_the_lamps_through_all_signals_and_gives_them_back(desk: Desk) -> None:
    """Each is seen on every lamp; afterwards they show the truth."""
    seen: set[str] = set()
    with command(desk, "test", "--seconds", "0.4") as testing:
        while len(seen) < len(Signal):
            wait_until(lambda: desk.panel.shows(1) not in seen, f"more signals than {seen} are seen")
            seen.add(desk.panel.shows(1))
        assert testing.wait() == 0
        assert testing.stdout.splitlines()[-1] == "2 lamps have shown these; now they show the truth again."
    wait_until(lambda: (desk.panel.shows(1), desk.panel.shows(2)) == ("off", "steady"), "the truth")
    desk.agent.cli("desk", "test", "nobody", code=1)


def test_an_agent_without_desks_says_so(tmp_path: Path) -> None:
    """And what would be right."""
    with (
        Agent(tmp_path, lines={"anna": static("201", 9)}) as agent,
        Process(argv(agent, "list"), env=ENVIRONMENT) as said,
    ):
        assert said.wait() == 1
        assert "no desk is configured; give [desks.NAME]" in said.stderr


def command(desk: Desk, *words: str) -> Process:
    """Run `cti-bridge desk WORDS`."""
    return Process(argv(desk.agent, *words), env=ENVIRONMENT)


def argv(agent: Agent, *words: str) -> list[str | Path]:
    """Return a command that asks an agent."""
    return agent.argv("desk", *words)
