"""Whoever refuses every change of a call is stood in for: hold and resume work all the same, with the relay or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import MediaWay
from bridge.events import Notice
from bridge.sip.legevents import Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.sdp import Direction, Session
from bridge.sip.sdpread import parse_session
from tests.support.lab import Lab, Phone, answers
from tests.support.ways import ToldMedia

PBX = ("10.0.9.9", 5060)


def refuses(status: int) -> object:
    """Return a script that refuses whatever is asked in a talk."""

    def script(phone: Phone, event: Requested) -> None:
        event.leg.respond(event.transaction, event.request, status, None, phone.lab.now)

    return script


def talking(way: MediaWay = MediaWay.AUTO, status: int = 488) -> tuple[Lab, OutgoingLeg]:
    """Return a lab in which the PBX talks to m1, and refuses every change."""
    trunk = TrunkSettings("pbx", PBX[0], register=False, number="600", media=way)
    lab = Lab(members=1, settings=ExchangeSettings(trunks=(trunk,)), media=ToldMedia())
    lab.exchange.start(lab.now)
    lab.add("pbx", PBX)
    lab["m1"].on_invite = answers
    lab["pbx"].on_request = refuses(status)  # type: ignore[assignment]
    return lab, called(lab)


def called(lab: Lab) -> OutgoingLeg:
    """Let the PBX call, and m1 take it."""
    leg = lab["pbx"].call("600")
    lab.run(1)
    assert lab["pbx"].accepted(leg)
    lab.run(0)
    return leg


def holds(lab: Lab, body: Body) -> tuple[int, Session | None]:
    """Let m1 send a re-INVITE; return the status and the answer."""
    lab["m1"].leg.request("INVITE", body, "hold", lab.now)
    lab.run(1)
    reply = lab.replies("m1")[-1]
    if reply.status < 300:
        lab["m1"].leg.acknowledge(None, lab.now)
        lab.run(0)
    return reply.status, parse_session(reply.body.data) if reply.body is not None else None


ANSWERED = Body("application/sdp", b"v=0\r\no=- 2 2 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n")
HELD = Body("application/sdp", ANSWERED.data + b"a=sendonly\r\n")


@pytest.mark.parametrize("way", [MediaWay.DIRECT, MediaWay.RELAY])
def test_a_phone_holds_who_refuses_it(way: MediaWay) -> None:
    """The bridge answers for the PBX, with its codec from its place; the talk can be taken up again, and held again."""
    lab, _ = talking(way)
    for _ in range(2):
        status, held = holds(lab, HELD)
        assert status == 200 and held is not None and held.way_of(held.media[0]) is Direction.RECEIVE
        status, again = holds(lab, ANSWERED)
        assert status == 200 and again is not None and again.way_of(again.media[0]) is Direction.BOTH
        assert again.origin.version == held.origin.version + 1
        assert (again.media[0].formats, again.media[0].port) == (held.media[0].formats, held.media[0].port)
    assert len(lab.sent("pbx", "INVITE")) == 4, "it is asked each time: it may have learnt better"


def test_nobody_else_is_stood_in_for_who_moves() -> None:
    """Without the relay an offer from another place has to reach the other side; in the relay it need not."""
    moved = Body("application/sdp", ANSWERED.data.replace(b"audio 5000", b"audio 5002"))
    lab, _ = talking(MediaWay.DIRECT)
    assert holds(lab, moved)[0] == 488
    lab, _ = talking(MediaWay.RELAY)
    assert holds(lab, moved)[0] == 200
    media = lab.media
    assert isinstance(media, ToldMedia)
    path = media.opened[0].paths[0, 1]
    assert path is not None and path.port == 5002


@pytest.mark.parametrize("status", [408, 481, 491, 500, 503])
def test_who_only_cannot_now_is_not_stood_in_for(status: int) -> None:
    """A call that is unknown, or just being changed, or a PBX in trouble: the phone is told so."""
    lab, _ = talking(MediaWay.RELAY, status)
    assert holds(lab, HELD)[0] >= 400
    assert not [event for event in lab.events if isinstance(event, Notice) and "held or transferred" in event.text]


def test_next_call_of_a_trunk_that_changes_none_goes_through_the_bridge() -> None:
    """It is said once. So the next caller can be transferred too, which needs the relay."""
    lab, leg = talking()
    media = lab.media
    assert isinstance(media, ToldMedia) and not media.opened
    holds(lab, HELD)
    holds(lab, ANSWERED)
    leg.hang_up(None, lab.now)
    lab.run(1)
    called(lab)
    assert len(media.opened) == 1
    assert "trunk pbx changes no call" in str(lab.exchange.story(None))
    said = [event.text for event in lab.events if isinstance(event, Notice)]
    assert [text for text in said if "held or transferred (488" in text and "through the bridge" in text] == said


def test_what_was_learnt_outlives_a_restart() -> None:
    """Of the same account alone."""
    lab, leg = talking()
    holds(lab, HELD)
    leg.hang_up(None, lab.now)
    lab.run(1)
    lab.restart()
    called(lab)
    media = lab.media
    assert isinstance(media, ToldMedia) and len(media.opened) == 1
    lab.settings = ExchangeSettings(trunks=(replace(lab.settings.trunks[0], username="630"),))
    lab.restart()
    assert "pbx" not in lab.exchange.present.rigid


def test_a_trunk_that_is_to_be_direct_stays_so() -> None:
    """What is set goes before what was learnt."""
    lab, leg = talking(MediaWay.DIRECT)
    holds(lab, HELD)
    leg.hang_up(None, lab.now)
    lab.run(1)
    called(lab)
    media = lab.media
    assert isinstance(media, ToldMedia) and not media.opened
