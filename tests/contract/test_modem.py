"""An analogue line with a modem: who calls is an event, the line's state, a lamp, and an entry in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import Agent
from tests.support.process import PATIENCE, wait_until
from tests.support.ptymodem import PtyModem

Bridges = Callable[..., Agent]


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[PtyModem]:
    """A modem that is plugged in."""
    with PtyModem(tmp_path / "modem") as plugged:
        yield plugged


def house(modem: PtyModem) -> dict[str, Any]:
    """Return the tables of a house with an analogue line."""
    return {"lines": {"house": {"number": "5550100", "modem": str(modem.path)}}}


def state(agent: Agent) -> str:
    """Return the line's state."""
    return str(agent.ask("line", line="house")["state"])


def comes_to(agent: Agent, wanted: str) -> None:
    """Wait until the line is in a state."""
    wait_until(lambda: state(agent) == wanted, lambda: f"{wanted}: {state(agent)}\n{agent.report()}")


def test_a_call_is_seen_and_remembered(bridge: Bridges, modem: PtyModem) -> None:
    """The line rings, who calls is told once, and when it is over the journal has it."""
    agent = bridge(**house(modem))
    comes_to(agent, "idle")
    assert modem.heard == ["ATZ", "AT+VCID=1"]
    modem.says("RING")
    comes_to(agent, "ringing")
    modem.says("DATE = 1124", "TIME = 0031", "NMBR = 0305550199", "NAME = ZOE")
    agent.process.wait_for("line house: rings, ZOE")
    comes_to(agent, "idle")
    [entry] = [e for e in agent.cli("journal")["entries"] if e.get("called") == "5550100"]
    assert (entry["caller"], entry["caller_name"], entry["result"]) == ("0305550199", "ZOE", "rang")
    modem.says("RING", "NMBR = P")
    agent.process.wait_for("line house: rings, an unknown caller")


def test_a_modem_that_is_pulled_is_told_and_found_again(bridge: Bridges, modem: PtyModem) -> None:
    """The line's state is then unknown, status tells why; plugged in again it is asked again."""
    agent = bridge(**house(modem))
    comes_to(agent, "idle")
    modem.says("RING")
    comes_to(agent, "ringing")
    modem.pull()
    comes_to(agent, "unknown")
    [wrong] = [w for w in agent.ask("status")["wrong"] if w["what"] == "modem of line house"]
    assert wrong["reason"] == "it is not plugged in"
    modem.plug()
    comes_to(agent, "idle")
    assert not [w for w in agent.ask("status")["wrong"] if "modem" in w["what"]]


def test_a_modem_that_tells_no_callers_is_named(bridge: Bridges, tmp_path: Path) -> None:
    """It still tells that the line rings."""
    with PtyModem(tmp_path / "modem", knows=("ATZ",)) as plain:
        agent = bridge(**house(plain))
        agent.process.wait_for("another modem would", PATIENCE)
        plain.says("RING")
        comes_to(agent, "ringing")
        agent.ended_cleanly()
        agent.start()


def test_it_follows_the_configuration(bridge: Bridges, modem: PtyModem, tmp_path: Path) -> None:
    """SIGHUP lets go of one modem and takes another."""
    agent = bridge(**house(modem))
    comes_to(agent, "idle")
    with PtyModem(tmp_path / "other") as other:
        agent.reload(**house(other))
        comes_to(agent, "idle")
        other.says("RING")
        comes_to(agent, "ringing")
        agent.reload()
        assert agent.ask("lines")["lines"] == {}


def test_an_analogue_line_is_no_member(bridge: Bridges, modem: PtyModem) -> None:
    """It cannot be rung, and the configuration's mistake says so."""
    agent = bridge()
    agent.configure(**house(modem), groups={"g": {"number": "600", "members": ["house"]}})
    problems = agent.cli("check", code=2)
    assert "cannot be rung" in str(problems)
