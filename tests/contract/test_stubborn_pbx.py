"""Every call through a PBX that is not our stack and concedes nothing, in the manners of three kinds of PBX."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.message import Response
from bridge.sip.reading import parse_message
from tests.support.agent import RTP_PORTS, Agent, Table, group, static
from tests.support.datagrams import Datagrams
from tests.support.kamailio import HOST, MANNERS, OUTSIDE, Kamailio
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.sipp import Sipp

NO_REINVITE = {"fritzbox": 488, "asterisk": 403, "provider": 405}
NO_CHANNEL = {"fritzbox": 486, "asterisk": 503, "provider": 503}

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]
Pbxs = Callable[..., Kamailio]


class House:
    """An outside line, a PBX of one manner with phones behind it, and the bridge as its extension 620.

    A call to 620 from the outside line is for the group 600: lines `m1`, `m2`... behind the PBX, one a scenario.
    """

    def __init__(self, manner: str, sipp: Sipps, pbx: Pbxs, bridge: Bridges) -> None:
        self.manner = manner
        self._sipp, self._pbx, self._bridge = sipp, pbx, bridge
        self.members: list[Sipp] = []
        self.pbx: Kamailio
        self.agent: Agent

    def open(
        self,
        *members: str,
        trunk: Table | None = None,
        lines: Table | None = None,
        trunks: Table | None = None,
        rules: Table | None = None,
        callers: Table | None = None,
        **options: Any,
    ) -> None:
        """Start phones behind the PBX, the PBX, and the bridge; return once the bridge is registered.

        `trunk`: more of the trunk's settings; `trunks`: more trunks; `lines`: more lines of the group; `rules`: more of
        the group's settings; `callers`: lines beside the group; `options`: the PBX's, and `calls`: how many the phones
        take, one after the other.
        """
        calls = options.pop("calls", 1)
        self.members = [self._sipp(scenario, talk=300, calls=calls) for scenario in members]
        numbers = [f"**61{n}" for n in range(1, len(members) + 1)]
        phones = {number: phone.port for number, phone in zip(numbers, self.members, strict=True)}
        phones |= options.pop("phones", {})
        self.pbx = self._pbx(self.manner, phones=phones, **options)
        behind = {f"m{n}": {"number": f"61{n}", "trunk": "pbx", "dial": number} for n, number in enumerate(numbers, 1)}
        account = {"username": "620", "password": "secret", "expires": 60, "number": "600", **(trunk or {})}
        every = {**behind, **(lines or {})}
        self.agent = self._bridge(
            trunks={"pbx": {"server": f"sip:{HOST}:{self.pbx.port}", **account}, **(trunks or {})},
            lines={**every, **(callers or {})},
            groups={"sales": group("600", *every, **(rules or {}))},
        )
        wait_until(lambda: self.state == "registered", f"registered\n{self.pbx.report()}")

    @property
    def state(self) -> str:
        """The trunk's state."""
        return str(self.agent.cli("status")["trunks"]["pbx"]["state"])

    def call(self, scenario: str, number: str = "620", talk: int = 300) -> Sipp:
        """Call a number at the PBX from outside."""
        options: dict[str, Any] = {"host": OUTSIDE, "service": number, "keys": {"caller": "0301234"}}
        return self._sipp(scenario, remote=self.pbx.port, remote_host=HOST, talk=talk, **options)

    def passed(self, *callers: Sipp) -> None:
        """Wait until all SIPps have gone through their scenarios, and the bridge has no call any more."""
        for each in (*callers, *self.members):
            try:
                each.passed()
            except AssertionError as failure:
                raise AssertionError(f"{failure}\n{self.pbx.report()}\n{self.agent.report()}") from None
        self.agent.wait_idle()

    def refused(self) -> list[str]:
        """What the PBX refused."""
        return self.pbx.refused()


@pytest.fixture(params=MANNERS)
def house(request: pytest.FixtureRequest, sipp: Sipps, pbx: Pbxs, bridge: Bridges) -> House:
    """Set up a house with each manner of PBX."""
    return House(request.param, sipp, pbx, bridge)


def test_call_to_the_extension_rings_a_line_behind_the_pbx(house: House) -> None:
    """Registered by digest, called with our contact in the URI, the bridge rings the line as it is to be dialled.

    Its From is the account's own, or the PBX would refuse it, with the caller in the display name.
    """
    house.open("member_answers")
    caller = house.call("caller_stays_until_it_hangs_up")
    house.passed(caller)
    [invite] = house.members[0].received("^INVITE ")
    assert re.search(r'^From: "Caller \(0301234\)" ?<sip:620@', invite, re.MULTILINE), invite
    assert not [r for r in house.refused() if r.startswith("INVITE")], house.pbx.report()


@pytest.mark.parametrize("media", ["auto", "direct"])
def test_sound_of_two_legs_on_one_trunk_goes_through_the_bridge(house: House, media: str) -> None:
    """The PBX would have to connect the two itself; each side is told a port of ours, unless the trunk says direct."""
    house.open("member_answers", trunk={"media": media})
    caller = house.call("caller_stays_until_it_hangs_up")
    house.passed(caller)
    told = [*house.members[0].received("^INVITE "), *caller.received("^SIP/2.0 200 ")]
    ports = [int(port) for message in told for port in re.findall(r"^m=audio (\d+)", message, re.MULTILINE)]
    assert len(ports) >= 2, told
    assert [RTP_PORTS[0] <= port <= RTP_PORTS[1] for port in ports] == [media == "auto"] * len(ports)


def test_number_dialled_is_in_the_to(house: House) -> None:
    """A call to the group's own number comes with our contact in the URI and the number in To alone."""
    house.open("member_answers", diverted={"600": "620"}, trunk={"number": "611"})
    house.passed(house.call("caller_stays_until_it_hangs_up", number="600"))


def test_member_hangs_up(house: House) -> None:
    """The hang-up of a phone behind the PBX ends the caller's call too."""
    house.open("member_hangs_up")
    house.passed(house.call("caller_stays"))


def test_every_request_is_proved_where_it_is_asked_for(house: House) -> None:
    """A nonce that has become stale since the last call, and a challenged BYE, cost one more round and no call."""
    house.open("member_answers", calls=2)
    talk = 4500 if house.manner == "provider" else 300  # longer than its nonces live
    first = house.call("caller_stays_until_it_hangs_up", talk=talk)
    first.passed()
    house.agent.wait_idle()
    house.passed(house.call("caller_stays_until_it_hangs_up"))
    assert ("BYE 407" in house.refused()) == (house.manner == "provider")


def test_call_from_one_pbx_to_a_line_behind_another(house: House, sipp: Sipps, pbx: Pbxs) -> None:
    """Several trunks: each has its own account and addresses; a call may come by one and go out by another."""
    away = sipp("member_answers")
    other = pbx("provider", phones={"0171": away.port}, accounts={"4930": "other-secret"})
    account = {"username": "4930", "password": "other-secret", "register": False}
    house.open(
        trunks={"other": {"server": f"sip:{HOST}:{other.port}", **account}},
        lines={"mobile": {"number": "299", "trunk": "other", "dial": "0171"}},
    )
    house.passed(house.call("caller_stays_until_it_hangs_up"), away)
    assert "From: " in away.received("^INVITE ")[0] and "sip:4930@" in away.received("^INVITE ")[0]


def test_caller_gives_up(house: House) -> None:
    """A caller who gives up stops the phones behind the PBX."""
    house.open("member_rings_until_cancelled", "member_rings_until_cancelled")
    caller = house.call("caller_cancels", talk=1500)
    house.passed(caller)


def test_first_answer_stops_the_others(house: House) -> None:
    """Two lines behind the PBX ring; one answers, the other stops."""
    house.open("member_answers", "member_loses_race")
    house.passed(house.call("caller_stays_until_it_hangs_up"))


def test_hold_that_the_pbx_refuses(house: House) -> None:
    """A PBX that refuses re-INVITE refuses the hold of a member; the bridge agrees to it in its place, and says so."""
    port = free_port()
    house.open(lines={"lobby": static("203", port)})
    house.members = [house._sipp("member_holds", port=port, talk=300)]
    house.passed(house.call("caller_stays_until_it_hangs_up", talk=1500))
    status = NO_REINVITE[house.manner]
    assert f"INVITE {status}" in house.refused()
    house.agent.process.wait_for(f"trunk pbx: the PBX does not let calls be held or transferred .{status} ")


def test_more_calls_than_the_pbx_has_channels(house: House) -> None:
    """With two channels, one taken by the caller, one line can be rung; that the others cannot ends nothing."""
    house.open("member_answers", "member_silent", "member_silent", channels=2)
    caller = house.call("caller_stays_until_it_hangs_up")
    del house.members[1:]
    house.passed(caller)
    assert house.refused().count(f"INVITE {NO_CHANNEL[house.manner]}") >= 2


def test_trunk_is_never_offered_more_calls_than_it_carries(house: House) -> None:
    """With `max_calls` on the trunk the PBX need not refuse: lines are rung as far as there are channels."""
    house.open("member_answers", "member_silent", "member_silent", channels=2, trunk={"max_calls": 2})
    caller = house.call("caller_stays_until_it_hangs_up")
    del house.members[1:]
    house.passed(caller)
    assert not [r for r in house.refused() if r == f"INVITE {NO_CHANNEL[house.manner]}"]


def test_call_that_comes_back_is_caught(house: House) -> None:
    """A phone behind the PBX diverted to our extension brings the call back, with another Call-ID: 482, no loop."""
    house.open("member_silent", diverted={"**611": "620"})
    caller = house.call("caller_is_refused")
    del house.members[:]
    house.passed(caller)
    [story] = [story for story in [house.agent.cli("explain")] if story]
    assert "482" in str(story), story


def test_mailbox_takes_the_call(house: House, sipp: Sipps) -> None:
    """The PBX's mailbox answers for a member who does not: to the bridge it is an answer like any other."""
    mailbox = sipp("member_answers_without_ringing")
    house.open("member_rings_until_cancelled", phones={"mailbox": mailbox.port}, mailbox_after=1)
    caller = house.call("caller_stays_until_it_hangs_up")
    house.passed(caller, mailbox)


def test_mailbox_never_takes_a_call_that_is_to_be_confirmed(house: House, sipp: Sipps) -> None:
    """The mailbox is asked to press 1 and cannot; a colleague who rings meanwhile presses it, and has the call."""
    mailbox, port = sipp("member_answers_without_ringing"), free_port()
    house.open(
        "member_rings_until_cancelled",
        "member_presses_1",
        phones={"mailbox": mailbox.port},
        mailbox_after=1,
        trunk={"confirm": True},
        callers={"c1": static("301", port)},
    )
    house.members[1].process.end()
    house.members[1] = house._sipp("member_presses_1", port=house.members[1].port, talk=700)
    keys = {"caller": "301"}
    caller = sipp("caller_stays_until_it_hangs_up", remote=house.agent.port, port=port, keys=keys)
    house.passed(caller, mailbox)
    assert house.agent.cli("explain")["call"]["answered_by"] == "m2"


@pytest.mark.parametrize(
    ("manner", "strategy"), [("fritzbox", "parallel"), ("asterisk", "sequential"), ("provider", "queue")]
)
def test_who_presses_1_takes_the_call(manner: str, strategy: str, sipp: Sipps, pbx: Pbxs, bridge: Bridges) -> None:
    """By INFO, through the PBX; whatever the strategy, the caller is connected then and not before."""
    house = House(manner, sipp, pbx, bridge)
    house.open("member_presses_1", trunk={"confirm": True}, rules={"strategy": strategy})
    caller = house.call("caller_stays_until_it_hangs_up", talk=2500 if strategy == "queue" else 300)
    house.passed(caller)
    steps = [step["what"] for step in house.agent.cli("explain")["steps"]]
    assert steps.index("picked up") < steps.index("connected")


def test_callers_of_a_queue_wait_and_are_served(house: House) -> None:
    """From outside, by way of the PBX, an agent behind the same PBX: answered at once, connected, hung up."""
    house.open("member_hangs_up", rules={"strategy": "queue"})
    caller = house.call("caller_stays")
    house.passed(caller)
    assert house.agent.cli("explain")["call"]["answered_by"] == "m1"


def test_pbx_that_refuses_a_talk_to_go_direct(house: House, sipp: Sipps) -> None:
    """The talk stays with the relay, where it has been from the first moment, and goes on."""
    port = free_port()
    house.open("member_answers", rules={"strategy": "queue"}, callers={"c1": static("301", port)})
    caller = sipp(
        "caller_stays_until_it_hangs_up", remote=house.agent.port, port=port, talk=2500, keys={"caller": "301"}
    )
    house.passed(caller)
    assert f"INVITE {NO_REINVITE[house.manner]}" in house.refused()


def test_pbx_that_tells_nothing_of_its_phones(house: House) -> None:
    """A PBX without the dialog package (489) leaves the state of its lines unknown, says so once, and calls go on."""
    house.open("member_answers", trunk={"watch": "dialog"})
    house.agent.process.wait_for("line m1: .* does not tell .*489")
    assert house.agent.cli("lines")["lines"]["m1"]["state"] == "unknown"
    house.passed(house.call("caller_stays_until_it_hangs_up"))


@pytest.mark.parametrize("manner", ["fritzbox"])
def test_pbx_that_is_gone_and_comes_back(manner: str, sipp: Sipps, pbx: Pbxs, bridge: Bridges) -> None:
    """A PBX that is gone is a lost trunk; back again, without any memory, it has us registered and our calls."""
    house = House(manner, sipp, pbx, bridge)
    house.open("member_answers", most_expires=4)
    house.pbx.end()
    house.agent.process.wait_for("trunk pbx: lost: ")
    house.pbx.start()
    wait_until(lambda: house.state == "registered", f"registered again\n{house.agent.report()}")
    house.passed(house.call("caller_stays_until_it_hangs_up"))


def test_pbx_refuses_a_foreign_from_by_sha_256(pbx: Pbxs) -> None:
    """The same where the digest is SHA-256, which SIPp has not: proved, in another's name."""
    exchange = pbx("provider")
    with Datagrams(HOST) as stranger:

        def invite(sequence: int, proof: str = "") -> bytes:
            uri = f"sip:**611@{HOST}:{exchange.port}"
            via = f"Via: SIP/2.0/UDP {HOST}:{stranger.port};branch=z9hG4bK{sequence}"
            names = f"From: <sip:0301234@{HOST}>;tag=1\r\nTo: <{uri}>\r\nCall-ID: foreign"
            names += "\r\nMax-Forwards: 70\r\nContent-Length: 0"
            return f"INVITE {uri} SIP/2.0\r\n{via}\r\n{names}\r\nCSeq: {sequence} INVITE\r\n{proof}\r\n".encode()

        stranger.send(invite(1), exchange.port, HOST)
        challenge = parse_message(stranger.wait(b"SIP/2.0 407"))
        assert isinstance(challenge, Response)
        rng, uri = random.Random(1), f"sip:**611@{HOST}:{exchange.port}"
        header = Authenticator(Credentials("620", "secret"), rng).answer(challenge, "INVITE", uri)
        assert header is not None and "SHA-256" in header[1]
        stranger.send(invite(2, f"{header[0]}: {header[1]}\r\n"), exchange.port, HOST)
        stranger.wait(b"SIP/2.0 403")


@pytest.mark.parametrize("manner", ["fritzbox", "asterisk"])  # SIPp has no SHA-256
def test_pbx_refuses_a_foreign_from(manner: str, sipp: Sipps, pbx: Pbxs) -> None:
    """The PBX itself: an account that calls in another's name gets 403, a stranger 407."""
    exchange = pbx(manner)
    options: dict[str, Any] = {"remote": exchange.port, "remote_host": HOST, "auth": ("620", "secret")}
    caller = sipp("caller_authenticates_wrongly", service="**611", keys={"caller": "0301234"}, **options)
    caller.passed()
    assert "INVITE 403" in exchange.refused()
