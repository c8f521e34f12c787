"""Softphones whose sound goes through the bridge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.ports import free_even_port
from tests.support.process import wait_until

Phones = Callable[..., Baresip]


def office(bridge: Callable[..., Agent], phone: Phones, media: str, pairs: int = 10) -> tuple[Agent, Baresip, Baresip]:
    """Return an agent with ports of its own, and two registered phones, the second of them set so and in group 600."""
    first = free_even_port(pairs=pairs)
    agent = bridge(
        sip={"rtp_ports": [first, first + 2 * pairs - 1]},
        lines={
            "anna": {"number": "201", "password": "anna-secret"},
            "ben": {"number": "202", "password": "ben-secret", "media": media},
        },
        groups={"sales": group("600", "ben")},
    )
    anna = phone(number="201", server=agent.port, password="anna-secret")
    ben = phone(number="202", server=agent.port, password="ben-secret")
    for each in (anna, ben):
        each.wait_registered()
    return agent, anna, ben


def relayed(agent: Agent) -> list[str]:
    """Return what the story of the last call says of its media."""
    return [step["why"] for step in agent.cli("explain")["steps"] if "through the bridge" in step["why"]]


@pytest.mark.parametrize("media", ["relay", "auto"])
def test_phones_hear_each_other(bridge: Callable[..., Agent], phone: Phones, media: str) -> None:
    """Through the bridge and directly: tone both ways, held, resumed, over; the ports are free again for the next."""
    agent, anna, ben = office(bridge, phone, media, pairs=2)
    for number in (1, 2):
        anna.dial("600")
        ben.wait("CALL_INCOMING", number)
        ben.answer()
        anna.wait("CALL_ESTABLISHED", number)
        for each in (anna, ben):
            each.wait_hearing()
        assert len(relayed(agent)) == (1 if media == "relay" else 0)
        anna.hold()
        wait_until(lambda: ben.direction == "recvonly", lambda: f"ben is held\n{ben.report()}")
        anna.resume()
        for each in (anna, ben):
            each.wait_hearing()
        (ben if number == 1 else anna).hang_up()
        for each in (anna, ben):
            each.wait("CALL_CLOSED", number)
        agent.wait_idle()


def test_the_end_of_the_bridge_ends_what_goes_through_it(bridge: Callable[..., Agent], phone: Phones) -> None:
    """SIGTERM: both phones get BYE, since nothing would carry their sound; nothing of it is taken up again."""
    agent, anna, ben = office(bridge, phone, "relay")
    anna.dial("600")
    ben.wait_ringing()
    ben.answer()
    anna.wait("CALL_ESTABLISHED")
    for each in (anna, ben):
        each.wait_hearing()
    agent.ended_cleanly()
    for each in (anna, ben):
        each.wait("CALL_CLOSED")
    agent.start()
    assert agent.cli("calls")["calls"] == []


def test_no_ports_are_left(bridge: Callable[..., Agent], phone: Phones) -> None:
    """The second call is refused before anybody rings, the first goes on; with its end there are ports again."""
    agent, anna, ben = office(bridge, phone, "relay", pairs=2)
    ben.dial("201")
    anna.wait_ringing()
    anna.answer()
    ben.wait("CALL_ESTABLISHED")
    cara = phone(number="202", server=agent.port, password="ben-secret")
    cara.wait_registered()
    cara.dial("201")
    closed = cara.wait("CALL_CLOSED")
    assert "503" in closed["param"], closed
    for each in (anna, ben):
        each.wait_hearing()
    ben.hang_up()
    agent.wait_idle()
