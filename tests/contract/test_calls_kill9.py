"""SIGKILL in the middle of calls: what can go on goes on, what cannot ends for whoever is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.process import wait_until
from tests.support.stage import Stage

NUMBERS = {"anna": "201", "ben": "202"}
LINES = {name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()}


def kept(agent: Agent, what: bytes) -> bool:
    """Whether the agent has written something for its next start; its database lets nobody else in."""
    return any(what in path.read_bytes() for path in agent.state.glob("kept.db*"))


@pytest.mark.parametrize("media", ["relay", "direct"])
def test_a_talk_goes_on(bridge: Callable[..., Agent], phone: Callable[..., Baresip], media: str) -> None:
    """Both hear each other, relayed as at the ports of before; hold and hang-up are carried through."""
    lines = {name: {**line, "media": media} for name, line in LINES.items()}
    agent = bridge(lines=lines, groups={"sales": group("600", "ben")})
    anna, ben = (phone(number=NUMBERS[n], server=agent.port, password=f"{n}-secret") for n in NUMBERS)
    for each in (anna, ben):
        each.wait_registered()
    anna.dial("600")
    ben.wait_ringing()
    ben.answer()
    for each in (anna, ben):
        each.wait("CALL_ESTABLISHED")
        each.wait_hearing()
    wait_until(lambda: kept(agent, b'"relay": {"ports"' if media == "relay" else b'"relay": null'), agent.report)
    agent.kill()
    agent.start()
    for each in (anna, ben):
        each.wait_hearing()
    ben.hold()
    wait_until(lambda: anna.direction == "recvonly", anna.report)
    ben.resume()
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    agent.wait_idle()


def test_a_hunt_ends_for_caller_and_members(stage: Callable[..., Stage]) -> None:
    """The caller gets 480 as soon as the bridge is back, the phones that rang stop."""
    on = stage("parallel", "member_rings_until_cancelled", "member_rings_until_cancelled")
    on.call("caller_is_refused")
    wait_until(lambda: kept(on.agent, b'"is": "rings"') and kept(on.agent, b'"is": "waits"'), on.agent.report)
    on.agent.kill()
    on.agent.start()
    on.refused(480)
    on.passed()
