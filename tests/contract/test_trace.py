"""`cti-bridge trace` and `log`, against a running bridge and a call through it."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import ENVIRONMENT, Agent, group, static
from tests.support.process import Process
from tests.support.sipp import Sipp

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]
PASSWORD = "quite-secret"


@pytest.fixture
def office(bridge: Bridges, sipp: Sipps) -> Agent:
    """A bridge through which one call has gone: from a phone that proves its password to SIPp's member."""
    member = sipp("member_answers", talk=20)
    lines = {"m": static("201", member.port), "c": {"number": "203", "password": PASSWORD}}
    agent = bridge(lines=lines, groups={"g": group("600", "m")})
    agent.cli("test-call", "600", "--line", "c", "--talk", "0", code=1)  # SIPp sends no sound
    agent.wait_idle()
    return agent


def said(agent: Agent, *words: str, code: int = 0) -> str:
    """Return what a command prints for people."""
    with Process(agent.argv(*words), env=ENVIRONMENT) as command:
        assert command.wait() == code, command.report()
        return command.output


def firsts(messages: list[dict[str, Any]]) -> list[str]:
    """Return each message's direction and first line, without the protocol's name."""
    return [f"{'>' if m['sent'] else '<'} {m['text'].split(chr(13))[0].replace(' SIP/2.0', '')}" for m in messages]


def test_a_call_is_shown_whole_by_its_id_its_number_or_a_line(office: Agent) -> None:
    """Both legs, in their order, whichever of its names is asked for; nothing of registrations."""
    call = office.ask("explain")["call"]["call"]
    by_call = office.cli("trace", call)["messages"]
    assert [line.split(" ")[1] for line in firsts(by_call)[:1]] == ["INVITE"]
    assert any(line.startswith("> INVITE sip:201@") for line in firsts(by_call))
    assert sum("200 OK" in line for line in firsts(by_call)) >= 4  # to INVITE and BYE, of each leg
    numbers = [m["number"] for m in by_call]
    assert numbers == sorted(numbers) and not any(re.search(r"CSeq: \d+ REGISTER", m["text"]) for m in by_call)
    for word in ("600", "g", "201", "m"):
        assert [m["number"] for m in office.cli("trace", word)["messages"]] == numbers, word
    assert any("REGISTER" in line for line in firsts(office.cli("trace", "203")["messages"]))


def test_no_secret_leaves_the_agent(office: Agent) -> None:
    """What proves a password is blotted out in every form."""
    messages = office.cli("trace", "--last", "500")["messages"]
    proofs = [m["text"] for m in messages if "Authorization: Digest" in m["text"]]
    assert proofs and all('response="***"' in text for text in proofs)
    assert PASSWORD not in str(messages)
    assert 'response="***"' in said(office, "trace", "203", "--full")


def test_a_ladder_is_drawn(office: Agent) -> None:
    """With the caller's number, the bridge and the member's, and an arrow for each message."""
    header, addresses, *lines = said(office, "trace", "600").splitlines()
    assert header.split() == ["203", "bridge", "201"]
    assert addresses.count("127.0.0.1:") == 2
    assert "INVITE" in lines[0] and lines[0].count("|") == 3


def test_a_capture_is_written(office: Agent, tmp_path: Path) -> None:
    """As many packets as there are messages; a place that cannot be written is named."""
    out = tmp_path / "call.pcap"
    count = len(office.cli("trace", "600")["messages"])
    assert f"{count} messages" in said(office, "trace", "600", "--pcap", str(out))
    data = out.read_bytes()
    found, position = 0, 24
    while position < len(data):
        position += 16 + struct.unpack_from("<I", data, position + 8)[0]
        found += 1
    assert found == count and position == len(data)
    assert "cannot be written" in said(office, "trace", "600", "--pcap", str(tmp_path / "no" / "x"), code=1)


def test_what_nobody_has_said_is_told_so(office: Agent) -> None:
    """A number without messages is no error of the machine's: exit code 1, in words."""
    assert "no message about 999" in said(office, "trace", "999", code=1)
    assert "number from 1" in said(office, "trace", "--last", "0", code=1)


def test_messages_are_followed(office: Agent) -> None:
    """With --follow each message is shown soon after it passed, as a line of JSON where that is asked for."""
    with Process(office.argv("trace", "--follow", "--last", "1", "--json"), env=ENVIRONMENT) as command:
        command.wait_for('"number"')
        office.cli("test-call", "999", "--line", "c", code=1)
        command.wait_for("404 Not Found")


def test_more_is_logged_for_a_while(office: Agent) -> None:
    """`log debug sip` has each message a line of the log, until it is set back; `log` alone tells what is set."""
    assert "SIP/2.0 404" not in office.process.output
    told = office.cli("log", "debug", "sip", "--for", "5m")["topics"]
    assert told["sip"]["level"] == "debug" and 290 < told["sip"]["for"] <= 300
    assert told["calls"] == {"level": "info", "for": None}
    office.cli("test-call", "998", "--line", "c", code=1)
    office.process.wait_for(r"sip from udp:127.0.0.1:\d+: INVITE sip:998@")
    office.process.wait_for(r"sip to udp:127.0.0.1:\d+: SIP/2.0 404 Not Found")
    assert office.cli("log", "usual")["topics"]["sip"] == {"level": "info", "for": None}
    office.cli("test-call", "997", "--line", "c", code=1)
    assert "sip:997@" not in office.process.output


@pytest.mark.parametrize(
    ("words", "right"),
    [(("loud",), "debug"), (("debug", "phones"), "calls"), (("--for", "5m"), "needs a level")],
)
def test_what_cannot_be_logged_is_told(office: Agent, words: tuple[str, ...], right: str) -> None:
    """A wrong word ends with 2 and the right ones."""
    assert right in said(office, "log", *words, code=2)
