"""Phones that register at the bridge, well or badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.agent import Agent, group
from tests.support.process import wait_until
from tests.support.sipp import Sipp

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]

ANNA = {"number": "201", "password": "anna's secret"}
BEN = {"number": "202", "password": "ben's secret"}


@pytest.fixture
def agent(bridge: Bridges) -> Agent:
    """Run a bridge at which two phones can register; both are always logged in to 600."""
    return bridge(lines={"anna": ANNA, "ben": BEN}, groups={"sales": group("600", "anna", "ben")})


def registering(sipp: Sipps, agent: Agent, scenario: str, line: dict[str, str] = ANNA, **more: Any) -> Sipp:
    """Run one phone's REGISTER through to its end; return it, for its port."""
    options: dict[str, Any] = {"keys": {"number": line["number"], "expires": "120"}, "remote": agent.port}
    phone = sipp(scenario, **{**options, "auth": (line["number"], line["password"]), **more})
    phone.passed()
    return phone


def reachable(agent: Agent, line: str) -> bool:
    """Whether the agent holds a line to be reachable."""
    return bool(agent.ask("lines")["lines"][line]["state"] == "idle")


def test_registers_and_unregisters(sipp: Sipps, agent: Agent) -> None:
    """With digest a phone registers and becomes reachable; expires=0 takes that back."""
    assert not reachable(agent, "anna")
    phone = registering(sipp, agent, "phone_registers")
    assert reachable(agent, "anna") and not reachable(agent, "ben")
    registering(sipp, agent, "phone_unregisters", port=phone.port)
    assert not reachable(agent, "anna")


def test_wrong_password(sipp: Sipps, agent: Agent) -> None:
    """A wrong password registers nobody."""
    registering(sipp, agent, "phone_registers_wrongly", auth=("201", "guessed"))
    assert not reachable(agent, "anna")


def test_unknown_number_looks_like_a_wrong_password(sipp: Sipps, agent: Agent) -> None:
    """Who asks for a number that does not exist learns no more than with a wrong password."""
    registering(sipp, agent, "phone_registers_wrongly", line={"number": "999", "password": "x"})


def test_nobody_registers_for_another(sipp: Sipps, agent: Agent) -> None:
    """Ben's password does not register Anna's phone."""
    registering(sipp, agent, "phone_registers_wrongly", auth=(BEN["number"], BEN["password"]))
    assert not reachable(agent, "anna") and not reachable(agent, "ben")


def test_registration_may_not_be_too_short(sipp: Sipps, agent: Agent) -> None:
    """A registration of one second is refused with 423, or made longer."""
    keys = {"number": "201", "expires": "1"}
    registering(sipp, agent, "phone_registers_too_briefly", keys=keys)


def test_registered_phones_are_rung(sipp: Sipps, agent: Agent) -> None:
    """A registered phone calls, proving who it is; the call rings where the other phone has registered."""
    anna = registering(sipp, agent, "phone_registers")
    ben = registering(sipp, agent, "phone_registers", BEN)
    member = sipp("member_answers", port=ben.port)
    keys = {"caller": "201"}
    proof = (ANNA["number"], ANNA["password"])
    caller = sipp("caller_authenticates", port=anna.port, remote=agent.port, keys=keys, auth=proof)
    caller.passed()
    member.passed()
    agent.wait_idle()


def test_call_with_a_wrong_password(sipp: Sipps, agent: Agent) -> None:
    """Nobody is rung for a caller whose proof is wrong."""
    ben = registering(sipp, agent, "phone_registers", BEN)
    member = sipp("member_answers", port=ben.port)
    keys = {"caller": "201"}
    caller = sipp("caller_authenticates_wrongly", remote=agent.port, keys=keys, auth=("201", "guessed"))
    caller.passed()
    assert member.received("^INVITE") == []


def test_stranger_is_challenged(sipp: Sipps, agent: Agent) -> None:
    """Who calls without being known is challenged, whether the number exists or not."""
    for called in ("600", "999"):
        sipp("stranger_calls", service=called, remote=agent.port, keys={"caller": "777"}).passed()


def test_registration_survives_a_restart(sipp: Sipps, agent: Agent) -> None:
    """After a power cut the phone is reachable at once, without registering again."""
    log = agent.state / "kept.db-wal"  # grows with each write
    before = log.stat().st_size
    registering(sipp, agent, "phone_registers")
    wait_until(lambda: log.stat().st_size > before, "the registration is written")
    agent.kill()
    agent.start()
    assert reachable(agent, "anna")
