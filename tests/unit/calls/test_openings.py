"""The way to phones behind NAT is kept open, as long as they are registered, and nobody else is bothered."""

from __future__ import annotations

import random

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response
from bridge.sip.openings import EVERY
from bridge.sip.reading import parse_message
from bridge.sip.via import translated
from tests.support.lab import Lab
from tests.unit.calls.pbx.test_trunks import Server

OUTSIDE = Flow("udp", "192.0.2.9", 40001)


class House:
    """A laboratory with a line 209 that registers."""

    def __init__(self) -> None:
        self.lab = Lab(
            members=1,
            settings=ExchangeSettings(passwords={"far": "secret"}),
            more_lines=(Line("far", "209", registers=True),),
        )
        self.prove = Authenticator(Credentials("209", "secret"), random.Random(6))
        self.sent = 0

    def register(self, flow: Flow, contact: str, expires: int = 600) -> None:
        """Register from somewhere."""
        for _ in range(2):
            self.sent += 1
            headers = {
                "Via": [f"SIP/2.0/{flow.transport.upper()} 10.9.9.9;branch=z9hG4bK{self.sent}"],
                "From": ["<sip:209@10.0.0.100>;tag=r"],
                "To": ["<sip:209@10.0.0.100>"],
                "Call-ID": ["r"],
                "CSeq": [f"{self.sent} REGISTER"],
                "Contact": [f"<{contact}>"],
                "Expires": [str(expires)],
            }
            request = Request("REGISTER", "sip:10.0.0.100", headers)
            self.prove.authorize(request)
            self.lab.exchange.receive(bytes(request), flow, self.lab.now)
            (answer,) = [parse_message(data) for _, data in self.lab.exchange.outbox]
            self.lab.exchange.outbox.clear()
            assert isinstance(answer, Response)
            if answer.code == 200:
                return
            assert self.prove.answer(answer, "REGISTER", request.uri)


def test_a_phone_behind_nat() -> None:
    """Each 25 s something that no translator takes for silence, until the registration is over."""
    house = House()
    house.register(OUTSIDE, "sip:209@10.9.9.9:5060", expires=90)
    house.lab.run(300)
    began = house.lab.openings[0][0] - EVERY
    assert [round(at - began) for at, _ in house.lab.openings] == [25, 50, 75]
    assert {place for _, place in house.lab.openings} == {("192.0.2.9", 40001)}


def test_a_phone_that_moves() -> None:
    """Another port outside: from then on there."""
    house = House()
    house.register(OUTSIDE, "sip:209@10.9.9.9:5060")
    house.lab.run(30)
    house.register(OUTSIDE._replace(port=40002), "sip:209@10.9.9.9:5060")
    house.lab.run(30)
    assert [place for _, place in house.lab.openings] == [("192.0.2.9", 40001), ("192.0.2.9", 40002)]


def test_who_needs_none() -> None:
    """A phone without NAT, and one with a connection, get nothing; when the first has gone it ends."""
    house = House()
    house.register(Flow("udp", "10.0.3.3", 5060), "sip:209@10.0.3.3")
    house.register(Flow("tcp", "192.0.2.9", 40001), "sip:209@10.9.9.9:5060;transport=tcp")
    house.lab.run(300)
    assert house.lab.openings == []
    house.register(OUTSIDE, "sip:209@10.9.9.8:5060")
    house.lab.run(30)
    house.register(OUTSIDE, "sip:209@10.9.9.8:5060", expires=0)
    house.lab.run(300)
    assert len(house.lab.openings) == 1


def test_after_a_restart() -> None:
    """Phones that were taken up again are kept reachable too."""
    house = House()
    house.register(OUTSIDE, "sip:209@10.9.9.9:5060")
    house.lab.restart()
    house.lab.run(30)
    assert [place for _, place in house.lab.openings] == [("192.0.2.9", 40001)]


@pytest.mark.parametrize(
    ("via", "between"),
    [
        ("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKx;rport=5060;received=192.168.1.20", False),
        ("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKx;rport", False),
        ("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKx", False),
        ("SIP/2.0/UDP [2001:DB8::5]:5060;rport=5060;received=2001:db8::5;branch=z9hG4bKx", False),
        ("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKx;rport=5060;received=203.0.113.7", True),
        ("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKx;rport=30000", True),
        ("SIP/2.0/UDP 192.168.1.20:5060;received=203.0.113.7;branch=z9hG4bKx", True),
        ("nonsense", False),
    ],
)
def test_a_translator_shows_in_our_own_via(via: str, between: bool) -> None:
    """The address and port that we were seen at, where they are others than we wrote."""
    assert translated(via) is between


@pytest.mark.parametrize("here", ["10.0.0.100", "192.168.7.7"])
def test_the_way_in_from_a_provider_is_kept_open(here: str) -> None:
    """One that sees us at another address than ours hears from us each 25 s, until we unregister; nobody else does."""
    trunk = TrunkSettings("provider", "10.1.0.1", username="620", password="x", number="600", check=False)
    lab = Lab(members=0, settings=ExchangeSettings(trunks=(trunk,)))
    lab.phones["provider"] = Server(lab, "provider", "10.1.0.1")
    lab.here = here
    lab.exchange.start(lab.now)
    lab.run(200)
    seen_elsewhere = here != "10.0.0.100"  # where the network of the laboratory has it
    assert len(lab.openings) == (8 if seen_elsewhere else 0)
    assert {place for _, place in lab.openings} <= {("10.1.0.1", 5060)}
    lab.openings.clear()
    lab.exchange.stop(lab.now)
    lab.run(200)
    assert not lab.openings
