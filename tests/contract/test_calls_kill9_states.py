"""SIGKILL in every state of a call: after the restart each side sees it ended or carried through; nothing stays."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.ports import free_port
from tests.support.process import wait_until

NUMBERS = {"anna": "201", "ben": "202", "cara": "203"}
LINES = {name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()}


def in_use(port: int, what: str) -> float:
    """Return how many of something the bridge has in use."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
    return float(lines[f"cti_bridge_in_use_{what}"])


def waits_in_a_queue(anna: Baresip, ben: Baresip, cara: Baresip) -> tuple[Baresip, ...]:
    """Anna hears music while Ben's phone rings."""
    anna.dial("600")
    anna.wait("CALL_ESTABLISHED")
    ben.wait_ringing()
    return anna, ben


def is_in_the_menu(anna: Baresip, ben: Baresip, cara: Baresip) -> tuple[Baresip, ...]:
    """Anna is spoken to."""
    anna.dial("*40")
    anna.wait("CALL_ESTABLISHED")
    return (anna,)


@pytest.mark.parametrize("state", [waits_in_a_queue, is_in_the_menu])
def test_what_cannot_go_on_ends(
    bridge: Callable[..., Agent],
    phone: Callable[..., Baresip],
    state: Callable[[Baresip, Baresip, Baresip], tuple[Baresip, ...]],
) -> None:
    """Whoever waits or is spoken to is hung up on, and what rings stops, once it is back."""
    port = free_port()
    agent = bridge(
        lines=LINES,
        groups={"sales": group("600", "ben", strategy="queue")},
        codes={"menu": "*40"},
        metrics={"port": port},
    )
    phones = [phone(number=NUMBERS[n], server=agent.port, password=f"{n}-secret") for n in NUMBERS]
    for each in phones:
        each.wait_registered()
    concerned = state(phones[0], phones[1], phones[2])
    wait_until(lambda: any(b'"is": "up"' in p.read_bytes() for p in agent.state.glob("kept.db*")), agent.report)
    agent.kill()
    agent.start()
    for each in concerned:
        each.wait("CALL_CLOSED")
    agent.wait_idle()
    wait_until(lambda: in_use(port, "legs") == 0, agent.report)


def test_who_is_held_is_taken_up(bridge: Callable[..., Agent], phone: Callable[..., Baresip]) -> None:
    """A talk on hold is on hold after the restart, can be resumed, and ends for both."""
    port = free_port()
    agent = bridge(lines=LINES, metrics={"port": port})
    anna, ben = (phone(number=NUMBERS[n], server=agent.port, password=f"{n}-secret") for n in ("anna", "ben"))
    for each in (anna, ben):
        each.wait_registered()
    anna.dial("202")
    ben.wait_ringing()
    ben.answer()
    for each in (anna, ben):
        each.wait("CALL_ESTABLISHED")
    ben.hold()
    wait_until(lambda: anna.direction == "recvonly", anna.report)
    wait_until(lambda: any(b'"parties"' in p.read_bytes() for p in agent.state.glob("kept.db*")), agent.report)
    agent.kill()
    agent.start()
    ben.resume()
    wait_until(lambda: anna.direction == "sendrecv", anna.report)
    for each in (anna, ben):
        each.wait_hearing()
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    agent.wait_idle()
    wait_until(lambda: in_use(port, "legs") == 0, agent.report)


def test_a_transfer_that_rings(bridge: Callable[..., Agent], phone: Callable[..., Baresip]) -> None:
    """The phone that the talk was to go to stops ringing, and nobody is left in a call once the other hangs up."""
    port = free_port()
    agent = bridge(lines=LINES, metrics={"port": port})
    anna, ben, cara = (phone(number=NUMBERS[n], server=agent.port, password=f"{n}-secret") for n in NUMBERS)
    for each in (anna, ben, cara):
        each.wait_registered()
    anna.dial("202")
    ben.wait_ringing()
    ben.answer()
    for each in (anna, ben):
        each.wait("CALL_ESTABLISHED")
    ben.transfer("203")
    cara.wait_ringing()
    wait_until(lambda: any(b'"is": "rings"' in p.read_bytes() for p in agent.state.glob("kept.db*")), agent.report)
    agent.kill()
    agent.start()
    cara.wait("CALL_CLOSED")
    anna.hang_up()
    agent.wait_idle()
    wait_until(lambda: in_use(port, "legs") == 0, agent.report)
