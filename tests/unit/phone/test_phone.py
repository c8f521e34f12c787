"""A simulated phone against the real exchange, on virtual time."""

import random
from dataclasses import replace
from typing import Any

import pytest

from bridge.calls.model import ExchangeSettings
from bridge.directory.model import Line
from bridge.media.tone import SILENT
from bridge.phone.model import (
    Account,
    Connected,
    Flowing,
    Manner,
    Over,
    PhoneEvent,
    Refused,
    Registered,
    Rings,
    Unregistered,
)
from bridge.phone.phone import Phone
from bridge.sip.flow import LocalAddress
from bridge.sip.legevents import Requested
from bridge.sip.message import Body
from bridge.sip.offers import PCMU, Local
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.sdp import Direction
from bridge.sip.sdpread import parse_session
from tests.support.lab import BRIDGE, OFFER, Address, Lab, tokens

RTP = 4000
CALLER = Local("10.0.1.1", 6000, "9")


class Desk(Phone):
    """A simulated phone on the laboratory's network."""

    def __init__(self, lab: Lab, number: str, address: Address, password: str = "secret", **manner: Any) -> None:
        super().__init__(
            Account(number, password, BRIDGE),
            RTP,
            locate=lambda flow: LocalAddress(*address),
            token=tokens(f"d{number}"),
            rng=random.Random(f"{number} {address}"),  # no two phones choose the same Call-ID
            manner=Manner(**manner),
        )
        self.lab = lab
        self.address = address
        lab.phones[number] = self  # type: ignore[assignment]  # it stands in the network as any phone

    def said(self) -> list[PhoneEvent]:
        """Return what has happened since this was last asked."""
        said = list(self.events)
        self.events.clear()
        return said


def call(lab: Lab, number: str = "401", by: str = "c1") -> OutgoingLeg:
    """Call a phone with audio, and acknowledge its answer where it gives one at once."""
    leg = lab[by].call(number, CALLER.offer().body())
    lab[by].accepted(leg)
    return leg


@pytest.fixture
def lab() -> Lab:
    """Return a laboratory in which 401 and 402 may register."""
    lines = (Line("desk", "401", registers=True), Line("other", "402", registers=True))
    return Lab(members=1, more_lines=lines, settings=ExchangeSettings(passwords={"desk": "secret", "other": "secret"}))


def desk(lab: Lab, number: str = "401", **manner: Any) -> Desk:
    """Return a phone that has registered."""
    phone = Desk(lab, number, (f"10.0.2.{number[-1]}", 5060), **manner)
    phone.start(lab.now)
    lab.run(0.1)
    assert phone.said() == [Registered()]
    return phone


def test_it_registers_by_digest_and_takes_it_back(lab: Lab) -> None:
    """The bridge knows where it is for as long as it is there."""
    phone = desk(lab)
    assert lab.exchange.line("desk").contacts == ("sip:401@10.0.2.1:5060",)
    phone.stop(lab.now)
    lab.run(0.1)
    assert phone.said() == [Unregistered("unregistering")]
    assert phone.quiet and lab.exchange.line("desk").contacts == ()


def test_a_phone_that_goes_takes_no_calls(lab: Lab) -> None:
    """A call that crosses its goodbye is told that it is not there, and does not hold it up."""
    phone = desk(lab)
    lab.drop = lambda passed: passed.source == phone.address and passed.name == "REGISTER"
    phone.stop(lab.now)
    call(lab)
    lab.run(0.1)
    assert lab.of("401", "480 INVITE") and phone.said() == [Unregistered("unregistering")]
    lab.run(5)
    assert phone.quiet


def test_a_wrong_password_is_told(lab: Lab) -> None:
    """It is not registered, and says what the server said."""
    phone = Desk(lab, "401", ("10.0.2.1", 5060), password="wrong")
    phone.start(lab.now)
    lab.run(0.1)
    [said] = phone.said()
    assert isinstance(said, Unregistered) and said.reason.startswith("403")


def test_it_stays_registered(lab: Lab) -> None:
    """An hour later it is still there, without a word."""
    phone = desk(lab)
    lab.run(3600)
    assert phone.said() == [] and lab.exchange.line("desk").reachable


def test_left_alone_it_rings(lab: Lab) -> None:
    """180 and nothing else, until the caller gives up."""
    phone = desk(lab)
    leg = call(lab)
    lab.run(20)
    assert phone.said() == [Rings("301", "301")]
    assert lab.sent("c1", "180 INVITE") and not lab.sent("c1", "200 INVITE")
    leg.cancel(None, lab.now)
    lab.run(0.1)
    assert phone.said() == [Over("cancelled")] and phone.quiet is False
    phone.stop(lab.now)
    lab.run(40)
    assert phone.quiet


def test_it_answers_after_a_while_and_hangs_up_after_another(lab: Lab) -> None:
    """Its manner: three seconds of ringing, five of talk."""
    phone = desk(lab, answer_after=3.0, hang_up_after=5.0)
    leg = call(lab)
    lab.run(2.9)
    assert phone.said() == [Rings("301", "301")]
    lab.run(0.2)
    assert lab["c1"].accepted(leg) and phone.said() == [Connected("PCMA")]
    lab.run(4.8)
    assert phone.said() == []
    lab.run(0.3)
    assert phone.said() == [Over("hung up here")] and lab.ended("c1")


def test_it_answers_with_what_the_caller_offers(lab: Lab) -> None:
    """The caller's codec, its own place."""
    desk(lab, answer_after=0.0)
    lab["c1"].call("401", Local("10.0.1.1", 6000, "1", (PCMU,)).offer().body())
    [accepted] = lab.sent("c1", "200 INVITE")
    answer = parse_session(accepted.message.body)
    assert (answer.host, answer.media[0].port, answer.media[0].formats) == ("10.0.2.1", RTP, ("0",))


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (Body("application/sdp", b"garbage"), 400),
        (OFFER, 488),  # says nowhere where it wants to receive
        (Body("application/sdp", b"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 18\r\n"), 488),
    ],
)
def test_what_it_cannot_answer_it_refuses(lab: Lab, offer: Body, status: int) -> None:
    """It does not ring for what cannot become a talk."""
    phone = desk(lab)
    lab["c1"].call("401", offer)
    assert lab.of("401", f"{status} INVITE") and phone.said() == []


def test_its_manner_may_be_to_refuse(lab: Lab) -> None:
    """Busy, declined, unavailable: whatever status is wanted."""
    phone = desk(lab, refuse_with=486)
    call(lab)
    assert lab.sent("c1", "486 INVITE") and phone.said() == []


def test_its_manner_may_be_to_say_nothing(lab: Lab) -> None:
    """Not even 180: a phone that hangs."""
    phone = desk(lab, rings=False)
    call(lab)
    lab.run(1)
    assert phone.said() == [Rings("301", "301")] and not lab.of("401", "180 INVITE")


def test_a_person_declines(lab: Lab) -> None:
    """603 by a key, once."""
    phone = desk(lab)
    call(lab)
    phone.decline(lab.now)
    phone.decline(lab.now)
    phone.answer(lab.now)
    lab.run(0.1)
    assert lab.sent("c1", "603 INVITE")
    assert phone.said() == [Rings("301", "301"), Over("declined with 603")]


def test_a_second_call_finds_it_busy(lab: Lab) -> None:
    """One call at a time; the first one is not disturbed."""
    lines = lab.directory.lines
    assert isinstance(lines, dict)
    lines["desk"] = replace(lines["desk"], max_calls=2)
    phone = desk(lab, answer_after=0.0)
    call(lab)
    call(lab, by="c2")
    lab.run(0.1)
    assert lab.sent("c2", "486 INVITE") and not lab.ended("c1")
    assert phone.said() == [Rings("301", "301"), Connected("PCMA")]


def test_answered_elsewhere_is_no_missed_call(lab: Lab) -> None:
    """The Reason that comes with the CANCEL tells them apart (RFC 3326)."""
    assert Over("cancelled", 'SIP;cause=200;text="Call completed elsewhere"').elsewhere
    assert Over("cancelled", "Q.850;cause=16, SIP ; cause=200").elsewhere
    assert not Over("cancelled", "Q.850;cause=200").elsewhere
    assert not Over("cancelled", "SIP;cause=487").elsewhere
    assert not Over("cancelled").elsewhere


def test_hold_and_resume_reach_the_other_side(lab: Lab) -> None:
    """sendonly is answered recvonly; then both ways again; every description has its next version."""
    phone = desk(lab, answer_after=0.0)
    call(lab)
    asked: list[bytes] = []

    def answer(other: object, event: Requested) -> None:
        offer = parse_session(event.request.body)
        asked.append(event.request.body)
        reply = CALLER.answer(offer, 2)
        event.leg.respond(event.transaction, event.request, 200, reply.body(), lab.now)

    lab["c1"].on_request = answer
    phone.said()
    assert phone.hold(lab.now)
    lab.run(0.1)
    assert phone.said() == [Flowing(True, False)]
    assert phone.resume(lab.now)
    lab.run(0.1)
    assert phone.said() == [Flowing(True, True)]
    assert [parse_session(body).origin.version for body in asked] == [2, 3]
    assert b"a=sendonly" in asked[0] and b"a=sendrecv" in asked[1]
    assert len(lab.of("401", "ACK INVITE") or lab.of("401", "ACK")) == 2


def test_hold_that_is_refused_changes_nothing(lab: Lab) -> None:
    """500 to the re-INVITE: the talk goes on as it was."""
    phone = desk(lab, answer_after=0.0)
    call(lab)
    lab["c1"].on_request = lambda other, event: event.leg.respond(event.transaction, event.request, 500, None, lab.now)
    phone.said()
    phone.hold(lab.now)
    lab.run(0.1)
    assert phone.said() == [Refused("hold", 500)] and phone.heard() is not None


def test_nothing_can_be_held_without_a_talk(lab: Lab) -> None:
    """Idle, or ringing: no."""
    phone = desk(lab)
    assert not phone.hold(lab.now)
    call(lab)
    assert not phone.hold(lab.now) and not phone.resume(lab.now)
    heard = phone.heard()
    assert heard is not None and heard.level == SILENT


def test_the_other_side_holds_and_resumes(lab: Lab) -> None:
    """Its re-INVITEs are answered as is due; one without a description gets our offer, one that is garbage 400."""
    phone = desk(lab, answer_after=0.0)
    caller = lab["c1"]
    leg = call(lab)
    phone.said()

    def ask(body: Body | None) -> int:
        caller.said.clear()
        leg.request("INVITE", body, "change", lab.now)
        lab.run(0.1)
        reply = lab.replies("c1")[-1]
        if reply.status == 200:
            assert reply.body is not None
            leg.acknowledge(None if body else CALLER.answer(parse_session(reply.body.data), 5).body(), lab.now)
        lab.run(0.1)
        return reply.status

    assert ask(CALLER.offer(2, Direction.SEND).body()) == 200
    assert phone.said() == [Flowing(False, True)]
    assert ask(CALLER.offer(3, Direction.NONE).body()) == 200
    assert phone.said() == [Flowing(False, False)]
    assert ask(None) == 200
    assert phone.said() == [Flowing(True, True)]
    assert ask(Body("application/sdp", b"nonsense")) == 400
    assert phone.said() == [] and phone.heard() is not None


def test_a_caller_without_an_offer_gets_ours(lab: Lab) -> None:
    """The 200 offers, the ACK answers; without an answer there is no talk."""
    phone = desk(lab, answer_after=0.0)
    leg = lab["c1"].call("401", None)
    offer = parse_session(lab.sent("c1", "200 INVITE")[0].message.body)
    leg.acknowledge(CALLER.answer(offer).body(), lab.now)
    lab.run(0.1)
    assert phone.said() == [Rings("301", "301"), Connected("PCMA")]
    leg.hang_up(None, lab.now)
    lab.run(0.1)
    assert phone.said() == [Over("hung up")]
    leg = lab["c1"].call("401", None)
    leg.acknowledge(None, lab.now)
    lab.run(0.1)
    assert phone.said() == [Rings("301", "301"), Over("the ACK has no answer to our offer")] and lab.ended("c1")


def test_two_phones_hear_each_other(lab: Lab) -> None:
    """What one sends where the other said, the other hears, at its level; without a talk nothing is heard."""
    phone = desk(lab, answer_after=0.0, tone=425, level=-20.0)
    lab["c1"].accepted(lab["c1"].call("401", Local("10.0.1.1", 6000, "9", (PCMU,)).offer().body()))
    lab.run(0.5)
    assert len(phone.sounds) == 26
    assert {(sound.host, sound.port) for sound in phone.sounds} == {("10.0.1.1", 6000)}
    for sound in phone.sounds:
        phone.hear(sound.data)
    heard = phone.heard()
    assert heard is not None
    assert (heard.packets, heard.lost, heard.hertz) == (26, 0, 425) and heard.level == pytest.approx(-20.0, abs=0.2)
    phone.hang_up(lab.now)
    phone.hear(sound.data)
    assert phone.heard() is None


def test_a_phone_that_is_asked_to_register_somebody_says_no(lab: Lab) -> None:
    """It is no registrar: 405. OPTIONS are answered."""
    phone = desk(lab)
    for method, status in (("REGISTER", 405), ("OPTIONS", 200)):
        request = (
            f"{method} sip:401@10.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.100;branch=z9hG4bK{method}\r\n"
            f"From: <sip:x@y>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n"
            "Max-Forwards: 70\r\n\r\n"
        )
        phone.receive(request.encode(), BRIDGE, lab.now)
        lab.run(0.1)
        assert lab.of("401", f"{status} {method}")


def test_a_losing_phone_learns_that_somebody_else_took_it(lab: Lab) -> None:
    """Two phones at one line ring; the CANCEL of the one that is slower says why."""
    first = desk(lab)
    second = Desk(lab, "401", ("10.0.2.9", 5060), answer_after=1.0)
    lab.phones["first"] = first  # type: ignore[assignment]
    second.start(lab.now)
    lab.run(0.1)
    call(lab)
    lab.run(1.1)
    over = first.said()[-1]
    assert isinstance(over, Over) and over.elsewhere and second.heard() is not None
