"""Lamps on phones: SIPp subscribes as a desk phone does; what it is told is checked by the RFC's rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.agent import Agent, static
from tests.support.baresip import Baresip
from tests.support.dialogschema import Element, check_dialog_info
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.sipp import Sipp

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]
Phones = Callable[..., Baresip]

SECRET = "anna-secret"
SPACE = "{urn:ietf:params:xml:ns:dialog-info}"


@pytest.fixture
def agent(bridge: Bridges) -> Agent:
    """Run a bridge with Anna and Ben in group 600; Ben's phone and a caller's stand at fixed places."""
    return bridge(
        lines={"anna": {"number": "201", "password": SECRET}, "ben": static("202", 9), "lobby": static("301", 9)},
        users={"anna": {"line": "anna"}, "ben": {"line": "ben"}},
        groups={"support": {"number": "600", "members": ["anna", "ben"], "member_level": "team"}},
        codes={"toggle": "*43", "pickup": "*8", "night": "*44"},
    )


def key(sipp: Sipps, agent: Agent, watched: str, **more: Any) -> Sipp:
    """Run a key of Anna's phone that watches something; return once it was told the state."""
    keys = {"watched": watched, "number": "201"}
    phone = sipp("phone_watches", remote=agent.port, keys=keys, auth=("201", SECRET), **more)
    phone.wait_received("^NOTIFY ")
    return phone


def documents(phone: Sipp) -> list[Element]:
    """Return the documents that a phone was told, each checked."""
    bodies = [message.replace("\r", "").partition("\n\n")[2] for message in phone.received("^NOTIFY ")]
    return [check_dialog_info(body.encode()) for body in bodies]


def told(phone: Sipp) -> list[list[str]]:
    """Return the states that each document tells, once all is over."""
    phone.passed()
    found = documents(phone)
    assert [root.get("version") for root in found] == [str(number) for number in range(len(found))]
    assert {root.get("state") for root in found} == {"full"}
    return [[dialog.findtext(f"{SPACE}state") or "" for dialog in root] for root in found]


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_a_key_shows_the_login(agent: Agent, sipp: Sipps, transport: str) -> None:
    """*43600 is dark, and lit as soon as Anna is logged in through another door; then it is unsubscribed."""
    phone = key(sipp, agent, "*43600", transport=transport)
    agent.login("support", "anna")
    assert told(phone) == [[], ["confirmed"], ["confirmed"]]
    entity = f"sip:*43600@127.0.0.1:{agent.port}"
    assert {root.get("entity") for root in documents(phone)} == {entity}


def test_one_key_shows_and_toggles(agent: Agent, sipp: Sipps, phone: Phones) -> None:
    """What the key dials, *43600, is what it watches: pressed, Anna is logged in, and it is lit."""
    lamp = key(sipp, agent, "*43600")
    anna = phone(number="201", server=agent.port, password=SECRET)
    anna.wait_registered()
    anna.dial("*43600")
    assert told(lamp) == [[], ["confirmed"], ["confirmed"]]
    anna.wait("CALL_CLOSED")


def test_a_key_shows_the_night_switch(agent: Agent, sipp: Sipps) -> None:
    """*44600 is lit while the group is closed."""
    phone = key(sipp, agent, "*44600")
    agent.ask("night", group="support", night="closed")
    assert told(phone) == [[], ["confirmed"], ["confirmed"]]


def test_a_key_shows_a_colleagues_line(bridge: Bridges, sipp: Sipps) -> None:
    """Ben's line rings, early, with the caller's number, then talks, confirmed."""
    ben = sipp("member_answers", talk=600)
    agent = bridge(
        lines={
            "anna": {"number": "201", "password": SECRET},
            "ben": static("202", ben.port),
            "lobby": static("301", (caller_port := free_port())),
        },
        users={"anna": {"line": "anna"}, "ben": {"line": "ben"}},
        groups={"support": {"number": "600", "members": ["anna", "ben"], "member_level": "team"}},
    )
    phone = key(sipp, agent, "202")
    caller = sipp(
        "caller_calls_and_hangs_up", remote=agent.port, port=caller_port, service="202", keys={"caller": "301"}
    )
    assert told(phone) == [[], ["early"], ["confirmed"], ["confirmed"]]
    remotes = {identity.text for root in documents(phone) for identity in root.iter(f"{SPACE}identity")}
    assert "sip:301@127.0.0.1" in remotes
    caller.passed()
    ben.passed()


def test_lamps_survive_a_power_cut(agent: Agent, sipp: Sipps) -> None:
    """Killed and started again: what was changed meanwhile is told in the same subscription, with a higher version."""
    phone = key(sipp, agent, "*44600")
    wait_until(lambda: phone.received("^NOTIFY "), phone.report)
    agent.ask("night", group="support", night="open")
    agent.process.wait_for("support: open")
    agent.kill()
    agent.start()
    phone.wait_received("version=.100")
    agent.ask("night", group="support", night="closed")
    phone.passed()
    versions = [int(root.get("version") or "") for root in documents(phone)]
    assert versions == sorted(set(versions)) and versions[-1] > 1000


def test_strangers_and_wrong_passwords(agent: Agent, sipp: Sipps) -> None:
    """A stranger is challenged; with a wrong password it is 403 and nothing is subscribed."""
    phone = sipp(
        "phone_watches", remote=agent.port, keys={"watched": "*43600", "number": "201"}, auth=("201", "guessed")
    )
    phone.wait_received("^SIP/2.0 403 ")
    assert not phone.received("^NOTIFY ")
