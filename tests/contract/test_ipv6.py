"""Phones on IPv6, and calls between both families through the relay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.ports import free_port

NUMBERS = {"anna": "201", "ben": "202"}
LINES = {name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()}


@pytest.mark.parametrize(("annas", "bens", "transport"), [("::1", "::1", "udp"), ("::1", "127.0.0.1", "tcp")])
def test_calls_over_ipv6(
    bridge: Callable[..., Agent], phone: Callable[..., Baresip], annas: str, bens: str, transport: str
) -> None:
    """Both on IPv6 they talk directly; one on IPv4, they hear each other through the bridge."""
    port = free_port()
    listen = [f"{transport}:127.0.0.1:{port}", f"{transport}:[::1]:{port}"]
    agent = bridge(lines=LINES, groups={"sales": group("600", "ben")}, sip={"listen": listen})
    anna, ben = (
        phone(number=NUMBERS[name], server=port, host=host, password=f"{name}-secret", transport=transport)
        for name, host in (("anna", annas), ("ben", bens))
    )
    for each in (anna, ben):
        each.wait_registered()
    anna.dial("600")
    ben.wait_ringing()
    ben.answer()
    for each in (anna, ben):
        each.wait("CALL_ESTABLISHED")
        each.wait_hearing()
    relayed = any("media through the bridge" in step["why"] for step in agent.ask("explain")["steps"])
    assert relayed is (annas != bens)
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    agent.wait_idle()
