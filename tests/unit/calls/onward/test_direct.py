"""Talks that began at the relay because we spoke to a side, and go on without it where they may."""

from __future__ import annotations

import pytest

from bridge.calls.status import CallStatus
from bridge.directory.model import Line, MediaWay
from bridge.media.model import CALLER
from bridge.sip.legevents import Requested
from bridge.sip.message import Request
from tests.support.hall import HELD, Hall, describes, hall
from tests.support.lab import Phone
from tests.unit.calls.test_media import body, says, sdp


def talking(**more: object) -> Hall:
    """Return a queue's caller c3 in a talk with m1, at this very moment."""
    made = hall(**more)  # type: ignore[arg-type]
    made.call("c3")
    made.answer("m1")
    return made


def call_of(made: Hall) -> CallStatus:
    """Return the only call."""
    (call,) = made.lab.exchange.calls()
    return call


def reinvited(made: Hall, who: str) -> list[Request]:
    """Return the INVITEs inside a dialog that a phone got."""
    found = [p.message for p in made.lab.sent(who, "INVITE")]
    return [m for m in found if isinstance(m, Request) and "tag=" in m.need("To")]


def refuses_requests(status: int, phone: Phone, event: Requested) -> None:
    """Refuse what is asked inside a dialog."""
    event.leg.respond(event.transaction, event.request, status, None, phone.lab.now)


def test_both_phones_are_told_of_each_other_and_the_relay_closes() -> None:
    """First the member, then the caller, each with the other's own address; `o=` goes on."""
    made = talking()
    made.lab.run(3)
    (first,), (second,) = reinvited(made, "m1"), reinvited(made, "c3")
    assert (sdp(first).media[0].port, sdp(first).host_of(sdp(first).media[0])) == (4000, "10.0.1.3")
    assert (sdp(second).media[0].port, sdp(second).host_of(sdp(second).media[0])) == (4000, "10.0.0.1")
    (told,) = made.lab.sent("c3", "200 INVITE")
    before, after = sdp(told.message).origin, sdp(second).origin
    assert before.session == after.session and after.version > before.version
    assert made.media.opened[0].closed and made.media.pairs == 100
    story = made.lab.exchange.story(None)
    assert story is not None and any(step.what == "media go directly" for step in story.steps)


def test_a_direct_talk_outlives_a_restart_and_hold_works() -> None:
    """As any other whose media never went through us; what each side is told goes on in its own `o=`."""
    made = talking()
    made.lab.run(3)
    agent = made.lab["m1"]
    assert agent.leg.request("INVITE", body("10.0.0.1", 4000, more=HELD, version=9), None, made.lab.now)
    made.lab.run(1)
    assert made.lab.replies("m1")[-1].status == 200
    held = sdp(reinvited(made, "c3")[-1])
    before = sdp(reinvited(made, "c3")[0])
    assert (held.origin.session, held.origin.version) == (before.origin.session, before.origin.version + 1)
    agent.leg.acknowledge(None, made.lab.now)
    made.lab.run(1)
    made.lab.restart()
    agent.leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("c3")


@pytest.mark.parametrize("status", [488, 491, 403])
def test_who_is_asked_first_and_refuses_leaves_all_as_it_was(status: int) -> None:
    """The other side hears nothing of it, and the relay carries on."""
    made = hall()
    made.lab["m1"].on_request = lambda phone, event: refuses_requests(status, phone, event)
    made.call("c3")
    made.answer("m1")
    made.lab.run(20)
    assert len(reinvited(made, "m1")) == 1
    assert reinvited(made, "c3") == []
    assert not made.media.opened[0].closed
    assert call_of(made).state == "connected"


def test_where_the_second_refuses_the_first_goes_back() -> None:
    """It is told once more what it was told before, in a newer version."""
    made = hall()
    made.lab["c3"].on_request = lambda phone, event: refuses_requests(488, phone, event)
    made.call("c3")
    made.answer("m1")
    made.lab.run(20)
    first, back = reinvited(made, "m1")
    (invite,) = made.lab["m1"].invites[:1]
    assert sdp(back).host == "10.0.0.100"
    assert sdp(back).media[0].port == sdp(invite).media[0].port
    assert sdp(back).origin.version > sdp(first).origin.version
    assert not made.media.opened[0].closed
    assert call_of(made).state == "connected"


def test_a_line_that_is_to_be_relayed_stays_relayed() -> None:
    """Nobody is asked anything."""
    made = hall()
    line = made.lab.directory.lines["m1"]
    assert isinstance(line, Line)
    made.lab.directory.lines["m1"] = Line("m1", line.number, contact=line.contact, media=MediaWay.RELAY)  # type: ignore[index]
    made.call("c3")
    made.answer("m1")
    made.lab.run(20)
    assert reinvited(made, "m1") == reinvited(made, "c3") == []


def test_a_talk_that_is_held_meanwhile_is_left_alone_until_it_is_not() -> None:
    """No re-INVITE undoes what somebody wants."""
    made = talking()
    agent = made.lab["m1"]
    made.lab["c3"].on_request = says(describes(made.lab["c3"], "a=recvonly"))
    assert agent.leg.request("INVITE", body("10.0.0.1", 4000, more=HELD, version=9), None, made.lab.now)
    made.lab.run(0.2)
    agent.leg.acknowledge(None, made.lab.now)
    made.lab.run(2)
    assert reinvited(made, "m1") == []
    made.lab["c3"].on_request = says(describes(made.lab["c3"]))
    assert agent.leg.request("INVITE", body("10.0.0.1", 4000, version=10), None, made.lab.now)
    made.lab.run(0.2)
    agent.leg.acknowledge(None, made.lab.now)
    made.lab.run(5)
    assert len(reinvited(made, "m1")) == 1
    assert made.media.opened[0].closed


def test_a_talk_that_ends_before_is_over() -> None:
    """No timer is left behind."""
    made = talking()
    made.lab["m1"].leg.hang_up(None, made.lab.now)
    made.lab.run(20)
    assert reinvited(made, "c3") == []
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])
    assert made.media.opened[0].paths[0, CALLER] is not None
