"""Real softphones: they register, ring through a group, answer, hold and hang up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.process import wait_until

Phones = Callable[..., Baresip]

NUMBERS = {"anna": "201", "ben": "202", "cara": "203"}


class Office:
    """Three registered phones: Anna and Ben are in 600 (parallel) and 601 (sequential), Cara calls."""

    def __init__(self, agent: Agent, phone: Phones, transport: str) -> None:
        self.agent = agent
        self.anna, self.ben, self.cara = (
            phone(number=number, server=agent.port, password=f"{name}-secret", transport=transport)
            for name, number in NUMBERS.items()
        )
        for each in self.phones:
            each.wait_registered()

    @property
    def phones(self) -> tuple[Baresip, ...]:
        """All three."""
        return self.anna, self.ben, self.cara

    def ended(self, *phones: Baresip) -> None:
        """Wait until the call is over at these phones and in the bridge."""
        for each in phones:
            each.wait("CALL_CLOSED")
        self.agent.wait_idle()


@pytest.fixture(params=["udp", "tcp"])
def office(bridge: Callable[..., Agent], phone: Phones, request: pytest.FixtureRequest) -> Office:
    """Set up the office, its phones connected over UDP or over TCP."""
    agent = bridge(
        lines={name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()},
        groups={
            "sales": group("600", "anna", "ben"),
            "support": group("601", "anna", "ben", strategy="sequential", ring_seconds=2),
        },
    )
    return Office(agent, phone, request.param)


def test_all_ring_and_one_answers(office: Office) -> None:
    """600 rings both; Ben answers, Anna's phone stops; they hear each other; Cara hangs up."""
    office.cara.dial("600")
    office.anna.wait_ringing()
    office.ben.wait_ringing()
    office.ben.answer()
    office.ben.wait("CALL_ESTABLISHED")
    office.cara.wait("CALL_ESTABLISHED")
    office.anna.wait("CALL_CLOSED")
    office.cara.wait_hearing()
    office.ben.wait_hearing()
    office.cara.hang_up()
    office.ended(*office.phones)


def test_hold_and_resume_both_ways(office: Office) -> None:
    """Either side holds and takes the call up again, and the other side's phone follows."""
    office.cara.dial("600")
    office.anna.wait_ringing()
    office.anna.answer()
    office.cara.wait("CALL_ESTABLISHED")
    office.anna.wait("CALL_ESTABLISHED")
    for holder, held in ((office.cara, office.anna), (office.anna, office.cara)):
        holder.hold()
        assert (holder.direction, held.direction) == ("sendonly", "recvonly")
        holder.resume()
        assert (holder.direction, held.direction) == ("sendrecv", "sendrecv")
    office.cara.wait_hearing()
    office.anna.wait_hearing()
    office.anna.hang_up()
    office.ended(office.anna, office.cara)


def test_one_after_the_other(office: Office) -> None:
    """601 rings Anna, who declines, then Ben, who answers and hangs up."""
    office.cara.dial("601")
    office.anna.wait_ringing()
    assert office.ben.count("CALL_INCOMING") == 0
    office.anna.hang_up()
    office.ben.wait_ringing()
    office.ben.answer()
    office.cara.wait("CALL_ESTABLISHED")
    office.ben.wait("CALL_ESTABLISHED")
    office.ben.hang_up()
    office.ended(office.ben, office.cara)


def test_caller_gives_up(office: Office) -> None:
    """Cara hangs up while both ring: both stop."""
    office.cara.dial("600")
    office.anna.wait_ringing()
    office.ben.wait_ringing()
    office.cara.wait("CALL_RINGING")
    office.cara.hang_up()
    office.ended(*office.phones)


def test_phone_that_is_switched_off(office: Office) -> None:
    """A phone that unregisters is unreachable at once, and is not rung."""
    office.anna.end()
    wait_until(
        lambda: office.agent.ask("lines")["lines"]["anna"]["state"] == "unreachable", "Anna's line is unreachable"
    )
    office.cara.dial("601")
    office.ben.wait_ringing()
    office.ben.answer()
    office.cara.wait("CALL_ESTABLISHED")
    office.cara.hang_up()
    office.ended(office.ben, office.cara)
