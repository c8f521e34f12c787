"""Line control with real phones: baresip picks up, dials, holds, transfers, diverts; also behind a PBX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.kamailio import HOST, MANNERS, OUTSIDE, Kamailio
from tests.support.process import wait_until
from tests.support.sipp import Sipp

Phones = Callable[..., Baresip]
Bridges = Callable[..., Agent]
Pbxs = Callable[..., Kamailio]
Sipps = Callable[..., Sipp]

NUMBERS = {"anna": "201", "ben": "202", "cara": "203"}


class Office:
    """Anna is in 600; Ben is on the same team, but logged out; Cara calls."""

    def __init__(self, bridge: Bridges, phone: Phones, **more: Any) -> None:
        self.agent = bridge(
            lines={name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()},
            users={name: {"line": name} for name in NUMBERS},
            groups={"support": {"number": "600", "members": ["anna", "ben"], "member_level": "team"}},
            codes={"pickup": "*8"},
            **more,
        )
        self.agent.login("support", "anna")
        self.anna, self.ben, self.cara = (
            phone(number=number, server=self.agent.port, password=f"{name}-secret") for name, number in NUMBERS.items()
        )
        for each in (self.anna, self.ben, self.cara):
            each.wait_registered()

    def connect(self) -> None:
        """Let Cara talk to Anna."""
        self.cara.dial("600")
        self.anna.wait_ringing()
        self.anna.answer()
        self.cara.wait("CALL_ESTABLISHED")
        self.anna.wait("CALL_ESTABLISHED")

    def ended(self, *phones: Baresip) -> None:
        """Wait until the call is over at these phones and in the bridge."""
        for each in phones:
            each.wait("CALL_CLOSED")
        self.agent.wait_idle()


@pytest.fixture
def office(bridge: Bridges, phone: Phones) -> Office:
    """Set up the office."""
    return Office(bridge, phone)


def test_a_phone_picks_up_by_code(office: Office) -> None:
    """Ben dials *8600: his call is answered and becomes Cara's; Anna's phone stops; they hear each other."""
    office.cara.dial("600")
    office.anna.wait_ringing()
    office.ben.dial("*8600")
    office.ben.wait("CALL_ESTABLISHED")
    office.cara.wait("CALL_ESTABLISHED")
    office.anna.wait("CALL_CLOSED")
    office.cara.wait_hearing()
    office.ben.wait_hearing()
    assert office.agent.ask("calls")["calls"][0]["answered_by"] == "ben"
    office.ben.hang_up()
    office.ended(office.ben, office.cara)


def test_a_call_is_picked_up_from_another_door(office: Office) -> None:
    """`pickup` on the command line rings Ben's phone with Cara's number; he takes it, Anna's stops."""
    office.cara.dial("600")
    office.anna.wait_ringing()
    reply = office.agent.cli("pickup", "600", "--member", "ben")
    assert reply["line"] == "ben"
    assert "203@" in office.ben.wait_ringing()["peeruri"]
    office.ben.answer()
    office.cara.wait("CALL_ESTABLISHED")
    office.anna.wait("CALL_CLOSED")
    office.cara.wait_hearing()
    assert "no call rings" in refused(office.agent, "pickup", "600", "--member", "ben")
    assert office.agent.cli("hangup", "--line", "ben")["call"] == reply["call"]
    office.ended(office.ben, office.cara)


def refused(agent: Agent, *words: str) -> str:
    """Return the message of a command that is refused."""
    found: str = agent.cli(*words, code=1)["error"]["message"]
    return found


def test_the_own_phone_first_then_the_number(office: Office) -> None:
    """`dial`: Cara's phone rings with the number that will be called, hears ringback, then Anna."""
    office.agent.cli("dial", "201", "--member", "cara")
    assert "201@" in office.cara.wait_ringing()["peeruri"]
    office.cara.answer()
    office.anna.wait_ringing()
    office.cara.wait_hearing()
    office.anna.answer()
    office.anna.wait("CALL_ESTABLISHED")
    office.cara.wait_hearing()
    office.anna.wait_hearing()
    office.anna.hang_up()
    office.ended(office.anna, office.cara)


def test_hold_and_resume_by_command(office: Office) -> None:
    """Cara hears music while Anna's phone is silent, then both each other again; the phones follow."""
    office.connect()
    office.agent.cli("hold", "--line", "anna")
    assert (office.anna.direction, office.cara.direction) == ("inactive", "recvonly")
    office.cara.wait_hearing()
    assert office.agent.ask("calls")["calls"][0]["held"]
    office.agent.cli("resume", "--line", "anna")
    assert (office.anna.direction, office.cara.direction) == ("sendrecv", "sendrecv")
    office.cara.wait_hearing()
    office.anna.wait_hearing()
    office.anna.hang_up()
    office.ended(office.anna, office.cara)


def test_a_blind_and_an_attended_transfer(office: Office) -> None:
    """Anna gives Cara to Ben by number; Ben holds her, calls Anna, and connects the two."""
    office.connect()
    office.agent.cli("transfer", "202", "--line", "anna")
    office.ben.wait_ringing()
    office.ben.answer()
    office.anna.wait("CALL_CLOSED")
    office.ben.wait("CALL_ESTABLISHED")
    office.cara.wait_hearing()
    office.agent.cli("hold", "--line", "ben")
    office.ben.dial("201")
    office.anna.wait("CALL_INCOMING", 2)
    office.anna.answer()
    office.anna.wait("CALL_ESTABLISHED", 2)
    wait_until(lambda: len(office.agent.ask("calls")["calls"]) == 2, "two calls")
    office.agent.cli("transfer", "--line", "ben")
    office.ben.wait("CALL_CLOSED", 2)
    office.cara.wait_hearing()
    office.anna.wait_hearing()
    office.cara.hang_up()
    office.anna.wait("CALL_CLOSED", 2)
    office.agent.wait_idle()


def test_diversions_and_do_not_disturb(office: Office) -> None:
    """A direct call goes where it is diverted to; a line that is not to be disturbed is busy."""
    office.agent.cli("divert", "202", "--line", "anna")
    office.cara.dial("201")
    office.ben.wait_ringing()
    office.cara.hang_up()
    office.ended(office.ben, office.cara)
    office.agent.cli("divert", "off", "--line", "anna")
    shown = office.agent.cli("dnd", "on", "--line", "anna")
    assert shown["dnd"] and shown["divert"]["always"] is None
    office.cara.dial("201")
    office.cara.wait("CALL_CLOSED", 2)
    assert office.anna.count("CALL_INCOMING") == 0


# -- behind a stubborn PBX --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", ["direct", "relay"])
def test_a_call_from_behind_the_pbx(media: str, pbx: Pbxs, bridge: Bridges, phone: Phones) -> None:
    """Picked up by code at an attached phone; held and transferred in our relay, since the PBX concedes nothing."""
    server = pbx("fritzbox", accounts={"620": "secret", "621": "phone-secret"})
    trunk = {"server": f"sip:{HOST}:{server.port}", "username": "620", "password": "secret", "number": "600"}
    trunk["media"] = media
    office = Office(bridge, phone, trunks={"pbx": {**trunk, "expires": 60}})
    far = phone(number="621", server=server.port, host=HOST, password="phone-secret")
    far.wait_registered()
    wait_until(lambda: office.agent.ask("status")["trunks"]["pbx"]["state"] == "registered", office.agent.report)
    far.dial("620")
    office.anna.wait_ringing()
    office.ben.dial("*8600")
    office.ben.wait("CALL_ESTABLISHED")
    far.wait("CALL_ESTABLISHED")
    office.anna.wait("CALL_CLOSED")
    far.wait_hearing()
    office.ben.wait_hearing()
    office.agent.cli("hold", "--line", "ben")
    if media == "relay":
        far.wait_hearing()
    office.agent.cli("resume", "--line", "ben")
    far.wait_hearing()
    office.ben.wait_hearing()
    assert office.ben.direction == "sendrecv"
    office.agent.cli("transfer", "203", "--line", "ben")
    office.cara.wait_ringing()
    office.cara.answer()
    if media == "direct":
        office.agent.process.wait_for("the transfer of call [0-9a-f]+ failed \\(SIP 488\\)")
        office.cara.wait("CALL_CLOSED")
    else:
        office.ben.wait("CALL_CLOSED")
        office.cara.wait("CALL_ESTABLISHED")
        office.cara.wait_hearing()
    far.wait_hearing()
    office.agent.cli("hangup", "--line", "ben" if media == "direct" else "cara")
    far.wait("CALL_CLOSED")
    office.agent.wait_idle()


@pytest.mark.parametrize("manner", MANNERS)
def test_phones_behind_the_pbx(manner: str, sipp: Sipps, pbx: Pbxs, bridge: Bridges) -> None:
    """One rings, another picks up by command: the first sees "answered elsewhere"."""
    first, second = sipp("member_loses_race", talk=300), sipp("member_answers", talk=300)
    server = pbx(manner, phones={"**611": first.port, "**612": second.port})
    trunk = {"server": f"sip:{HOST}:{server.port}", "username": "620", "password": "secret", "number": "600"}
    lines = {f"m{n}": {"number": f"61{n}", "trunk": "pbx", "dial": f"**61{n}"} for n in (1, 2)}
    agent = bridge(trunks={"pbx": trunk}, lines=lines, groups={"sales": group("600", "m1")})
    wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", agent.report)
    options: dict[str, Any] = {"host": OUTSIDE, "service": "620", "keys": {"caller": "0301234"}}
    caller = sipp("caller_stays_until_it_hangs_up", remote=server.port, remote_host=HOST, talk=1500, **options)
    wait_until(lambda: agent.ask("lines")["lines"]["m1"]["state"] == "ringing", agent.report)
    agent.ask("pickup", group="600", line="m2")
    for each in (first, caller, second):
        each.passed()
    agent.wait_idle()


def test_calls_outside_and_none_that_costs(pbx: Pbxs, bridge: Bridges, phone: Phones) -> None:
    """Cara's line may call through the PBX, by hand and by command; nobody else's, and nothing that is refused."""
    server = pbx("fritzbox", accounts={"620": "secret", "0301234": "phone-secret"})
    trunk = {"server": f"sip:{HOST}:{server.port}", "username": "620", "password": "secret", "number": "600"}
    lines = {
        "cara": {"number": "203", "password": "cara-secret", "dial_out": "pbx"},
        "ben": {"number": "202", "password": "ben-secret"},
    }
    agent = bridge(lines=lines, groups={"g": {"number": "600", "members": ["ben"]}}, trunks={"pbx": trunk})
    cara, ben = (phone(number=each["number"], server=agent.port, password=each["password"]) for each in lines.values())
    far = phone(number="0301234", server=server.port, host=HOST, password="phone-secret")
    for each in (cara, ben, far):
        each.wait_registered()
    wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", agent.report)
    cara.dial("0301234")
    far.wait_ringing()
    far.answer()
    cara.wait("CALL_ESTABLISHED")
    cara.wait_hearing()
    far.wait_hearing()
    cara.hang_up()
    far.wait("CALL_CLOSED")
    agent.wait_idle()
    for closed, number in enumerate(("0900123456", "0044201234", "11833"), 2):
        cara.dial(number)
        cara.wait("CALL_CLOSED", closed)
    ben.dial("0301234")
    ben.wait("CALL_CLOSED")
    assert far.count("CALL_INCOMING") == 1
    agent.process.wait_for("line cara: 0900123456 \\(dialled\\) is not called: numbers that begin with 0900")
    agent.cli("dial", "0301234", "--line", "cara")
    cara.wait_ringing()
    cara.answer()
    far.wait("CALL_INCOMING", 2)
    far.answer()
    far.wait("CALL_ESTABLISHED", 2)
    cara.wait_hearing()
    far.hang_up()
    agent.wait_idle()
