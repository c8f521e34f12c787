"""Floods: whatever strangers send, nothing of it stays, nothing leaves the house, and our phones go on talking."""

from __future__ import annotations

import random

import pytest

from bridge.calls.guard import MOST_CALLS
from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.events import Notice
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.limits import STRANGER
from bridge.sip.message import Request, Response
from bridge.sip.reading import parse_message
from tests.support.lab import Lab, answers

PBX = TrunkSettings("pbx", "10.9.9.9", username="620", register=False, number="600", max_calls=2, check=False)
REGISTERING = Line("lobby", "203", registers=True)
ABROAD = Line("abroad", "0049", trunk="pbx")
METHODS = ("INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "MESSAGE", "BYE", "CANCEL", "ACK", "NONSENSE")


def house() -> Lab:
    """Return a house with a member, a trunk, a line behind it, and a line that may register."""
    lab = Lab(
        members=1,
        more_lines=(REGISTERING, ABROAD),
        settings=ExchangeSettings(trunks=(PBX,), passwords={"lobby": "secret"}),
    )
    lab.exchange.start(lab.now)
    return lab


def request(method: str, number: int, host: str, called: str = "600", extra: str = "") -> bytes:
    """Return a request, another one for each number."""
    return (
        f"{method} sip:{called}@10.0.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bKflood{number}\r\n"
        f"From: <sip:203@{host}>;tag={number}\r\nTo: <sip:{called}@10.0.0.100>\r\nCall-ID: flood-{number}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:203@{host}>\r\nMax-Forwards: 70\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


def flood(lab: Lab, method: str, host: str, count: int, called: str = "600") -> list[Request | Response]:
    """Send so many requests at once; return what the bridge sends, to whomever."""
    for number in range(count):
        lab.exchange.receive(request(method, number, host, called), Flow("udp", host, 5060), lab.now)
    said = [parse_message(send.data) for send in lab.exchange.outbox]
    lab.exchange.outbox.clear()
    return said


@pytest.mark.parametrize("method", METHODS)
def test_nothing_stays_of_a_strangers_flood(method: str) -> None:
    """No transaction, no leg, no deadline; each request that is taken is answered once; one line is written."""
    lab = house()
    said = flood(lab, method, "192.0.2.66", 2000)
    assert len(said) == (0 if method == "ACK" else STRANGER.at_once)
    assert all(isinstance(each, Response) and each.code >= 200 for each in said)
    assert len(lab.exchange.ua.layer) == len(lab.exchange.ua.legs) == 0 and lab.exchange.deadline() is None
    lab.run(120)
    assert not lab.wire, "nothing is sent again"
    assert len([event for event in lab.events if isinstance(event, Notice)]) == 1


@pytest.mark.parametrize("called", ["600", "201", "0049", "203", "nothing"])
@pytest.mark.parametrize(
    "proof",
    [
        "",
        "Authorization: Basic MjAzOnNlY3JldA==\r\n",
        'Authorization: Digest username="203", realm="cti-bridge", nonce="forged", uri="sip:600", response="00"\r\n',
        'Authorization: Digest username="20\x00\x7f", realm="cti-bridge", nonce="x", uri="sip:600", response="00"\r\n',
        "P-Asserted-Identity: <sip:203@10.0.0.100>\r\nRemote-Party-ID: <sip:620@10.9.9.9>\r\n",
        "Route: <sip:10.9.9.9;lr>\r\n",
        "Replaces: any;to-tag=a;from-tag=b\r\n",
    ],
)
def test_a_call_that_proves_nothing_never_leaves_the_house(called: str, proof: str) -> None:
    """Whomever it is for and whatever it claims: 401 or 403, and no request of ours, to a phone or to a trunk."""
    lab = house()
    lab.exchange.receive(request("INVITE", 1, "192.0.2.66", called, proof), Flow("udp", "192.0.2.66", 5060), lab.now)
    lab.run(60)
    (answer,) = [passed.message for passed in lab.wire]
    assert isinstance(answer, Response) and answer.code in (401, 403)
    assert not lab.exchange.calls()


@pytest.mark.parametrize("routes", ["<http://x>", "<sip:x;lr>, y z", ",".join(["<sip:10.9.9.8;lr>"] * 40)])
def test_a_way_that_cannot_be_gone_back_is_refused_at_once(routes: str) -> None:
    """Record-Routes are checked before a call is taken, not when it is to be hung up; too many are too many."""
    lab = house()
    pbx = Flow("udp", "10.9.9.9", 5060)
    lab.exchange.receive(request("INVITE", 1, pbx.host, "201", f"Record-Route: {routes}\r\n"), pbx, lab.now)
    lab.run(1)
    assert [passed.name for passed in lab.wire] == ["400 INVITE"]


def test_the_same_request_gets_the_same_tag() -> None:
    """RFC 3261 §8.2.7: an answer of which nothing is kept has a To tag that comes of its request."""
    lab = house()
    first, again = flood(lab, "INVITE", "192.0.2.66", 1) + flood(lab, "INVITE", "192.0.2.66", 1)
    (other,) = flood(lab, "INVITE", "192.0.2.67", 1)
    assert first.to_tag and first.to_tag == again.to_tag != other.to_tag


def test_our_phones_call_while_strangers_flood() -> None:
    """From one address and from thousands: a call is made, answered and ended as ever."""
    lab = house()
    lab["m1"].on_invite = answers
    flood(lab, "INVITE", "192.0.2.66", 1000)
    for number in range(3000):
        host = f"198.51.{number >> 8}.{number & 255}"
        lab.exchange.receive(request("OPTIONS", number, host), Flow("udp", host, 5060), lab.now)
    lab.exchange.outbox.clear()
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    call.hang_up(None, lab.now)
    lab.run(1)
    assert "BYE" in lab.to("m1") and not lab.exchange.calls()
    assert len([event for event in lab.events if isinstance(event, Notice)]) <= 20


def test_a_phone_that_registers_is_known() -> None:
    """From then on its requests are no stranger's; its REGISTER is not taken twice when it is repeated."""
    lab = house()
    phone = Flow("udp", "192.0.2.50", 5060)
    lab.exchange.receive(request("REGISTER", 0, phone.host, "203"), phone, lab.now)
    challenge = parse_message(lab.exchange.outbox.pop().data)
    assert isinstance(challenge, Response)
    proof = Authenticator(Credentials("203", "secret"), random.Random(1)).answer(
        challenge, "REGISTER", "sip:10.0.0.100"
    )
    assert proof is not None
    authorised = request("REGISTER", 1, phone.host, "203", f"{proof[0]}: {proof[1]}\r\n")
    for _ in range(2):
        lab.exchange.receive(authorised, phone, lab.now)
    said = [parse_message(send.data) for send in lab.exchange.outbox]
    assert [each.code for each in said if isinstance(each, Response)] == [200, 200]
    lab.exchange.outbox.clear()
    lab.now += 2
    assert len(flood(lab, "OPTIONS", phone.host, 1000)) == 1000


def test_a_trunk_brings_as_many_calls_as_it_may() -> None:
    """Over `max_calls`: 486, of which nothing stays, and a line for people; what was there goes on."""
    lab = house()
    pbx = Flow("udp", "10.9.9.9", 5060)
    for number, called in ((1000, "201"), (1001, "301")):
        lab.exchange.receive(request("INVITE", number, pbx.host, called), pbx, lab.now)
    lab.run(1)
    kept = len(lab.exchange.ua.layer)
    said = flood(lab, "INVITE", pbx.host, 500)
    assert [each.code for each in said if isinstance(each, Response)] == [486] * 500
    assert len(lab.exchange.ua.layer) == kept
    assert len(lab.exchange.calls()) == 2
    lab.run(1)
    assert any(isinstance(event, Notice) and "trunk pbx has its 2 calls" in event.text for event in lab.events)


def test_there_is_a_most_of_calls() -> None:
    """Over `MOST_CALLS`: 503 with Retry-After, of which nothing stays."""
    lab = Lab(members=1, more_lines=tuple(Line(f"l{n}", f"5{n}", contact=f"sip:l@10.1.{n}.1") for n in range(250)))
    for line in range(250):
        for number in range(5):
            message = request("INVITE", line * 5 + number, "10.0.1.1", called=f"5{line}")
            lab.exchange.receive(message, Flow("udp", "10.0.1.1", 5060), lab.now)
    refused = [m for m in map(parse_message, (send.data for send in lab.exchange.outbox)) if isinstance(m, Response)]
    assert len(lab.exchange.calls()) <= MOST_CALLS
    assert {each.code for each in refused} <= {100, 180, 480, 486, 503}
