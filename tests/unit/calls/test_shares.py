"""Shares: whoever of our own peers asks for too much leaves room for the others, on the disk and in the log too."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridge.calls.guard import HELP_AT_ONCE, MOST_CALLS, MOST_OF_A_PHONE
from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line, Strategy
from bridge.events import CallOver, Notice, OutsideRefused
from bridge.hunting.abridged import FIRST, MOST
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.layer import MOST_KEPT, RequestIn
from bridge.sip.limits import IN_VAIN, LOOK_AGAIN, PHONE, REFUSALS, SERVICES
from bridge.sip.message import Request, Response
from bridge.sip.reading import parse_message
from bridge.sip.transaction import ServerTransaction
from tests.support.lab import Lab, silent
from tests.support.ways import ToldMedia

PBX = Flow("udp", "10.9.9.9", 5060)
OTHER = Flow("udp", "10.9.9.8", 5060)
PHONE_AT = Flow("udp", "192.0.2.50", 5060)
TRUNKS = tuple(
    TrunkSettings(name, flow.host, username="620", register=False, number="600", check=False)
    for name, flow in (("pbx", PBX), ("other", OTHER))
)
ROOMY = Line("roomy", "209", contact="sip:roomy@10.0.0.9:5060", max_calls=2 * MOST_CALLS)
LOBBY = Line("lobby", "203", registers=True, dial_out=("pbx",))


class House:
    """A line that may be called as often as one likes, two trunks without `max_calls`, and a phone that registers."""

    def __init__(self) -> None:
        settings = ExchangeSettings(trunks=TRUNKS, passwords={"lobby": "secret"})
        self.lab = Lab(members=1, more_lines=(ROOMY, LOBBY), settings=settings, media=ToldMedia())
        self.lab["roomy"].on_invite = silent
        self.lab.exchange.start(self.lab.now)
        self._proof = Authenticator(Credentials("203", "secret"), random.Random(1))
        self._challenge: Response | None = None
        self._count = 0
        assert self.prove("REGISTER", "203") == 200  # so that it is no stranger
        self.lab.now += LOOK_AGAIN + 1

    def send(self, method: str, called: str, flow: Flow, extra: str = "") -> int:
        """Send one more request from an address; return the final status it gets at once, 100 where none."""
        self._count += 1
        number = self._count
        head = (
            f"{method} sip:{called}@10.0.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP {flow.host}:5060;branch=z9hG4bK{number}\r\n"
            f"From: <sip:203@{flow.host}>;tag={number}\r\nTo: <sip:{called}@10.0.0.100>\r\nCall-ID: share-{number}\r\n"
            f"CSeq: 1 {method}\r\nContact: <sip:203@{flow.host}>\r\nMax-Forwards: 70\r\n{extra}"
            "Content-Length: 0\r\n\r\n"
        )
        self.lab.exchange.receive(head.encode(), flow, self.lab.now)
        said = [parse_message(send.data) for send in self.lab.exchange.outbox if send.flow[1:3] == flow[1:3]]
        answers = [each for each in said if isinstance(each, Response) and each.call_id == f"share-{number}"]
        self.lab.exchange.outbox.clear()
        if answers and answers[-1].code == 401:
            self._challenge = answers[-1]
        return answers[-1].code if answers else 100

    def prove(self, method: str, called: str, flow: Flow = PHONE_AT) -> int:
        """Send a request with the lobby's password."""
        if self._challenge is None:
            assert self.send(method, called, flow) == 401
        assert self._challenge is not None
        answer = self._proof.answer(self._challenge, method, "sip:10.0.0.100")
        self._challenge = None
        assert answer is not None
        return self.send(method, called, flow, f"{answer[0]}: {answer[1]}\r\n")

    def told(self, text: str) -> list[str]:
        """Return the lines that say this."""
        self.lab.run(0)
        return [event.text for event in self.lab.events if isinstance(event, Notice) and text in event.text]


def test_one_trunk_leaves_room_for_others() -> None:
    """Three quarters are the most of one that has no `max_calls`; then of what is left; a phone can still call."""
    house = House()
    took = [house.send("INVITE", "209", PBX) for _ in range(MOST_CALLS)]
    assert took.count(100) == MOST_CALLS * 3 // 4 and set(took) == {100, 503, 486}
    also = [house.send("INVITE", "209", OTHER) for _ in range(MOST_CALLS)]
    assert MOST_CALLS // 8 < also.count(100) < MOST_CALLS // 4
    assert house.prove("INVITE", "209") == 100
    assert len(house.told("trunk pbx has its 750 calls")) == 1


def test_help_is_called_however_many_calls_are_up() -> None:
    """A call to 112 is no call more; the fourth of one line at once is."""
    house = House()
    while len(house.lab.exchange.calls()) < MOST_CALLS:
        for flow in (PBX, OTHER, Flow("udp", "10.0.1.1", 5060), Flow("udp", "10.0.1.2", 5060)):
            house.send("INVITE", "209", flow)
        if all(house.send("INVITE", "209", flow) == 503 for flow in (PBX, OTHER)):
            break
    house.lab.exchange.board.up |= {f"x{n}": call for n, call in enumerate(house.lab.exchange.board.up.values())}
    assert house.prove("INVITE", "209") == 503
    assert [house.prove("INVITE", "112") for _ in range(HELP_AT_ONCE + 1)] == [100] * HELP_AT_ONCE + [503]


def test_a_phone_makes_as_many_calls_as_a_phone_can() -> None:
    """More than that at once is a mistake or malice; others are not disturbed, and it can call help all the same."""
    house = House()
    assert [house.prove("INVITE", "209") for _ in range(MOST_OF_A_PHONE + 1)] == [100] * MOST_OF_A_PHONE + [503]
    assert house.send("INVITE", "209", PBX) == 100
    assert house.prove("INVITE", "112") == 100
    assert len(house.told(f"line lobby has its {MOST_OF_A_PHONE} calls")) == 1


def test_a_phone_that_calls_again_and_again_is_slowed_down() -> None:
    """Calls that end at once are refused, beyond a pace that no person has; a while later it may again."""
    house = House()
    taken = [house.prove("INVITE", "203") for _ in range(300)]
    assert taken.count(482) == IN_VAIN.at_once and taken[-1] == 503
    house.lab.now += 10
    assert house.prove("INVITE", "203") == 482
    assert len(house.told("those of line lobby come to nothing")) == 1


def test_a_phone_that_rings_others_for_a_moment_only_is_slowed_down() -> None:
    """It gives up at once, again and again: so many calls have hardly been meant."""
    house = House()
    for _ in range(110):
        house.send("INVITE", "201", Flow("udp", "10.0.1.1", 5060))
        house.lab.run(0.01)
        for call in list(house.lab.exchange.board.up.values()):
            call.abandon(house.lab.now)
    assert house.send("INVITE", "201", Flow("udp", "10.0.1.1", 5060)) == 503
    assert house.send("INVITE", "201", Flow("udp", "10.0.1.2", 5060)) == 100


def test_refusals_do_not_fill_the_disk() -> None:
    """Of what a phone tries in vain only so much is written."""
    house = House()
    for _ in range(30):
        house.lab.now += 1
        assert {house.prove("INVITE", "0900123") for _ in range(20)} <= {403, 503}
    house.lab.run(1)
    told = [event for event in house.lab.events if isinstance(event, OutsideRefused)]
    over = [event for event in house.lab.events if isinstance(event, CallOver)]
    assert 60 <= len(told) <= REFUSALS.at_once + 30
    assert IN_VAIN.at_once <= len(over) <= IN_VAIN.at_once + 30 * IN_VAIN.per_second


def test_a_phone_that_dials_codes_without_end_is_slowed_down() -> None:
    """Each may be a write to the disk; a person who presses a key again and again is served."""
    house = House()
    house.lab.directory = replace(house.lab.directory, menu="700")
    settings = ExchangeSettings(trunks=TRUNKS, passwords={"lobby": "secret"})
    house.lab.exchange.configure(house.lab.directory, settings, house.lab.now)
    taken = []
    for _ in range(100):
        taken.append(house.prove("INVITE", "700"))
        house.lab.exchange.services.stop(house.lab.now)
    assert taken.count(503) == 100 - SERVICES.at_once


def test_a_trunks_flood_does_not_fill_the_journal() -> None:
    """Calls that come to nothing: the journal has the first, and a few more each second; all the others are refused."""
    house = House()
    trunk = TrunkSettings("pbx", PBX.host, username="620", register=False, number="nobody", check=False)
    settings = ExchangeSettings(trunks=(trunk,), passwords={"lobby": "secret"})
    house.lab.exchange.configure(house.lab.directory, settings, house.lab.now)
    for _ in range(10):
        house.lab.now += 1
        assert {house.send("INVITE", "nobody", PBX) for _ in range(200)} == {404, 486}
    house.lab.run(0)
    over = [event for event in house.lab.events if isinstance(event, CallOver)]
    assert IN_VAIN.at_once <= len(over) <= IN_VAIN.at_once + 10 * IN_VAIN.per_second
    assert len(house.told("those of trunk pbx come to nothing")) == 1


def test_a_phone_that_registers_without_end_is_slowed_down() -> None:
    """Registering is cheap, telling of it is not: 503 with Retry-After, the phone stays where it is."""
    house = House()
    taken = [house.prove("REGISTER", "203") for _ in range(200)]
    assert taken.count(200) == PHONE.at_once and taken[-1] == 503
    assert house.lab.exchange.registrar.bindings("lobby")


def test_one_host_leaves_memory_for_the_requests_of_others() -> None:
    """What is kept of each request for half a minute is bounded, in all and for each host."""
    house = House()
    house.lab.run(60)
    layer = house.lab.exchange.ua.layer
    assert len(layer) == 0
    request = parse_message(
        b"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        b"To: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    assert isinstance(request, Request)
    kept: list[ServerTransaction] = []
    while not layer.full_for(PBX):
        request.headers["Via"] = [f"SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK{len(kept)}"]
        happened = layer.receive(request, PBX._replace(port=1024 + len(kept) % 60_000), 0.0)
        assert isinstance(happened, RequestIn) and happened.transaction is not None
        kept.append(happened.transaction)
        layer.keep(happened.transaction)
    assert len(kept) == MOST_KEPT * 3 // 4
    assert not layer.full_for(OTHER)
    for transaction in kept:
        layer.forget(transaction)
    assert len(layer) == 0 and not layer._kept_for and not layer._on_flow


@pytest.mark.parametrize("strategy", [Strategy.SEQUENTIAL, Strategy.PARALLEL])
def test_the_story_of_a_caller_who_waits_for_days_stays_short(strategy: Strategy) -> None:
    """Its beginning, a line that says how much is left out, and its end; what the journal gets and its Call-IDs too."""
    lab = Lab(strategy, 2, {"give_up_after": 7200.0, "ring_seconds": 5.0, "retry_after": 5.0})
    lab["m2"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    lab["c1"].call("600")
    for _ in range(119):
        lab.run(60)
        lab.wire.clear()
    (call,) = lab.exchange.board.up.values()
    steps = call.story().steps
    assert FIRST < len(steps) <= 2 * MOST and len(call.chronicle.dialogs) <= MOST
    left_out = [int(step.why.split()[0]) for step in steps if step.what == "left out"]
    assert 1 <= len(left_out) <= 2 and sum(left_out) > 500
    assert steps[0].at == 0.0 and lab.now - 1000.0 - steps[-1].at < 60
    lab.run(120)
    (over,) = [event for event in lab.events if isinstance(event, CallOver)]
    assert len(over.steps) <= MOST + 2 and FIRST < len(over.parts) <= MOST + 2
