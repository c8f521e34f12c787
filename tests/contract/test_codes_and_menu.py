"""Codes and the spoken menu with real phones: baresip, attached and behind a stubborn PBX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.agent import Agent, static
from tests.support.baresip import Baresip
from tests.support.kamailio import HOST, Kamailio
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.sipp import Sipp

Phones = Callable[..., Baresip]
Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]
Pbxs = Callable[..., Kamailio]

CODES = {"login": "*41", "logout": "*42", "toggle": "*43", "menu": "*40", "night": "*44"}
PIN = "2907"


def office(bridge: Bridges, **more: Any) -> Agent:
    """Run a bridge with Anna's line, her group 600, codes, and a menu."""
    lines = {"anna": {"number": "201", "password": "anna-secret"}, **more.pop("lines", {})}
    return bridge(
        lines=lines,
        users={"anna": {"line": "anna", "pin": PIN}},
        groups={"support": {"number": "600", "members": ["anna"]}},
        codes=CODES,
        menu={"number": "700"},
        **more,
    )


def login(agent: Agent) -> dict[str, Any]:
    """Return Anna's login as everybody is told it."""
    found: dict[str, Any] = agent.ask("member", group="support", member="anna")
    return found


def wait_login(agent: Agent, state: str) -> None:
    """Wait until Anna is in or out."""
    wait_until(lambda: login(agent)["login"] == state, lambda: f"login is {state}\n{agent.report()}")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_codes_from_a_phone(bridge: Bridges, phone: Phones, transport: str) -> None:
    """*41600 logs in: when the phone is answered, all others know it; it hears that and is hung up. *43 logs out."""
    agent = office(bridge)
    anna = phone(number="201", server=agent.port, password="anna-secret", transport=transport)
    anna.wait_registered()
    anna.dial("*41600")
    anna.wait("CALL_ESTABLISHED")
    assert (login(agent)["login"], login(agent)["origin"], login(agent)["by"]) == ("ON", "phone", "anna")
    anna.wait_hearing()
    anna.wait("CALL_CLOSED")
    anna.dial("*43")
    anna.wait("CALL_ESTABLISHED", 2)
    assert login(agent)["login"] == "OFF"
    anna.hang_up()
    anna.wait("CALL_CLOSED", 2)


def test_a_wrong_group_is_heard(bridge: Bridges, phone: Phones) -> None:
    """The phone is answered, hears that it is refused, and the reason is an event."""
    agent = office(bridge)
    anna = phone(number="201", server=agent.port, password="anna-secret")
    anna.wait_registered()
    anna.dial("*41999")
    anna.wait("CALL_ESTABLISHED")
    anna.wait("CALL_CLOSED")
    agent.process.wait_for("refused: login 999 anna by anna \\(phone\\): there is no group '999'")


def test_the_menu_at_a_phone(bridge: Bridges, phone: Phones) -> None:
    """*40, then 1 logs in, 2 pauses, * ends it."""
    agent = office(bridge)
    anna = phone(number="201", server=agent.port, password="anna-secret")
    anna.wait_registered()
    anna.dial("*40")
    anna.wait("CALL_ESTABLISHED")
    anna.wait_hearing()
    anna.press("1")
    wait_login(agent, "ON")
    anna.press("2")
    wait_until(lambda: login(agent)["paused"], lambda: f"paused\n{agent.report()}")
    anna.press("*")
    anna.wait("CALL_CLOSED")


def test_keys_by_info(bridge: Bridges, sipp: Sipps) -> None:
    """A phone at a static contact presses 1 in the menu by INFO: its own line is logged in, until the next start.

    A device that its own phone has logged in is out after a restart, unless another door has made that permanent.
    """
    port = free_port()
    agent = bridge(
        lines={"lobby": static("203", port)},
        groups={"support": {"number": "600", "members": ["lobby"]}},
        codes=CODES,
    )
    lobby = sipp(
        "caller_presses_by_info",
        remote=agent.port,
        port=port,
        service="*40",
        keys={"caller": "203", "key": "1"},
        talk=500,
    )
    lobby.passed()
    wait_until(lambda: lobbys(agent)["login"] == "ON", agent.report)
    assert lobbys(agent)["origin"] == "phone"
    agent.kill()
    agent.start()
    assert lobbys(agent)["login"] == "OFF"
    agent.login("support", "lobby")
    agent.kill()
    agent.start()
    assert lobbys(agent)["login"] == "ON"


def lobbys(agent: Agent) -> dict[str, Any]:
    """Return the lobby's login."""
    found: dict[str, Any] = agent.ask("member", group="support", member="lobby")
    return found


@pytest.mark.parametrize("manner", ["fritzbox", "asterisk"])  # the provider's digest is beyond baresip 1
def test_the_menu_behind_a_stubborn_pbx(pbx: Pbxs, bridge: Bridges, phone: Phones, manner: str) -> None:
    """A phone of the PBX calls the bridge's extension: the menu wants number and PIN, a wrong one gets nowhere."""
    server = pbx(manner, accounts={"620": "secret", "621": "phone-secret"})
    trunk = {"server": f"sip:{HOST}:{server.port}", "username": "620", "password": "secret", "number": "700"}
    agent = office(bridge, trunks={"pbx": {**trunk, "expires": 60}})
    far = phone(number="621", server=server.port, host=HOST, password="phone-secret")
    far.wait_registered()
    wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", agent.report)
    far.dial("620")
    far.wait("CALL_ESTABLISHED")
    far.wait_hearing()
    far.press("201#1111#")
    agent.process.wait_for("menu: a PIN for anna from 621 \\(trunk pbx\\) is refused, 1 wrong in a row")
    far.wait_hearing()  # that it was wrong
    far.press("1")
    assert login(agent)["login"] == "OFF"
    far.press("*201#" + PIN + "#")
    agent.process.wait_for("menu: anna is known by PIN, from 621 \\(trunk pbx\\)")
    far.press("1")
    wait_login(agent, "ON")
    far.hang_up()
    far.wait("CALL_CLOSED")
