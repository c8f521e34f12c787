"""REFER to a queue where the referrer waits: who is transferred gets the place, whatever goes wrong on the way."""

from __future__ import annotations

import pytest

from bridge.directory.model import Group, Member
from bridge.media.model import CALLER
from bridge.media.prompts import MUSIC
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested
from bridge.sip.outgoing import OutgoingLeg
from tests.support.hall import HELD, Hall, busy, describes, free, hall, picks_up, plays
from tests.support.lab import Phone
from tests.unit.calls.onward.test_transfer import progress, refer
from tests.unit.calls.test_media import body, sdp


def agrees(phone: Phone, event: Requested) -> None:
    """Answer an offer, or make one."""
    event.leg.respond(event.transaction, event.request, 200, describes(phone), phone.lab.now)


def declines(phone: Phone, event: Requested) -> None:
    """Refuse to change anything."""
    event.leg.respond(event.transaction, event.request, 488, None, phone.lab.now)


def waiting(served: bool = False) -> tuple[Hall, OutgoingLeg, Leg, OutgoingLeg]:
    """Return a queue in which c4 waits, who talks to c3 too, before c5: the legs of c3, and both of c4's.

    The agent talks with somebody, unless c4 is `served`, whose phone rings then.
    """
    made = hall(members=1)
    if not served:
        busy(made, "m1")
    for name in ("c3", "c4", "m1"):
        made.lab[name].on_request = agrees
    made.lab["c4"].on_invite = picks_up
    phone = made.lab["c3"]
    call = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(call)
    queued = made.call("c4")
    made.lab.run(1)
    made.call("c5")
    made.lab.run(1)
    return made, call, made.lab["c4"].calls[0], queued


def named(leg: Leg) -> str:
    """Return the Refer-To with which a phone names its own call."""
    assert leg.dialog is not None
    tags = f"to-tag%3D{leg.dialog.remote_tag}%3Bfrom-tag%3D{leg.dialog.local_tag}"
    return f"<sip:600@10.0.0.100?Replaces={leg.call_id}%3B{tags}>"


def left(made: Hall) -> bool:
    """Whether nothing is left but the call of c5."""
    made.lab.run(40)
    others = [call for call in made.lab.exchange.calls() if call.caller not in ("305", "301")]
    floor = made.lab.exchange.board.agents.floor
    return not others and floor.waiting("g") == len([c for c in made.lab.exchange.calls() if c.caller == "305"])


def test_who_is_transferred_gets_the_place() -> None:
    """At once: it hears the music, is served before who came later, and both legs of the referrer are hung up."""
    made, call, talk, queued = waiting()
    made_speakers = len(made.media.opened[-2].speakers)
    refer(made.lab, "c4", talk, named(queued))
    assert progress(made.lab, "c4") == ["100 Trying", "200 OK"] and len(made.lab.sent("c4", "BYE")) == 2
    offered = sdp(made.lab.sent("c3", "INVITE")[-1].message)
    assert offered.host == "10.0.0.100" and offered.media[0].port == made.media.opened[-2]._ports[0][CALLER]
    relay = made.media.opened[-2]
    assert plays(relay.speakers[-1]) == (MUSIC,) and len(relay.speakers) == made_speakers, "the music goes on"
    path = relay.paths[0, CALLER]
    assert path is not None and path.host == "10.0.1.3"
    waits = [status.caller for status in made.lab.exchange.calls() if status.state == "waiting"]
    assert waits == ["303", "305"] and made.lab.exchange.line("c4").state.value == "idle"
    free(made, "m1")
    made.answer("m1")
    made.lab.run(1)
    served = {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by}
    assert served == {"303": "m1"}
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("m1") and left(made)


def test_the_referrer_hangs_up_in_the_queue_at_once() -> None:
    """The place is kept for who is transferred."""
    made, _, talk, queued = waiting()
    asked: list[Requested] = []
    made.lab["c3"].on_request = lambda phone, event: asked.append(event)
    refer(made.lab, "c4", talk, named(queued))
    queued.hang_up(None, made.lab.now)
    made.lab.run(0.5)
    agrees(made.lab["c3"], asked[0])
    made.lab.run(0.5)
    waits = [status.caller for status in made.lab.exchange.calls() if status.state == "waiting"]
    assert waits == ["303", "305"] and progress(made.lab, "c4")[-1] == "200 OK"
    assert plays(made.media.opened[-2].speakers[-1]) == (MUSIC,), "a new voice, since the old one is closed"


@pytest.mark.parametrize("gone", [False, True])
def test_who_is_transferred_refuses(gone: bool) -> None:
    """The referrer waits on, unless it has hung up there; the talk stays."""
    made, _, talk, queued = waiting()
    made.lab["c3"].on_request = lambda phone, event: None
    refer(made.lab, "c4", talk, named(queued))
    if gone:
        queued.hang_up(None, made.lab.now)
        made.lab.run(0.5)
    asked = next(iter(made.lab["c3"].ua.legs.values()))
    for transaction, request in list(asked._owed):
        asked.respond(transaction, request, 488, None, made.lab.now)
    made.lab.run(0.5)
    assert progress(made.lab, "c4")[-1] == "488 Not Acceptable Here"
    states = {status.caller: status.state for status in made.lab.exchange.calls()}
    assert states["303"] == "connected" and states.get("304") == (None if gone else "waiting")
    if not gone:
        free(made, "m1")
        made.answer("m1")
        assert {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by}["304"] == "m1"


def test_who_is_transferred_hangs_up() -> None:
    """The referrer waits on."""
    made, call, talk, queued = waiting()
    made.lab["c3"].on_request = lambda phone, event: None
    refer(made.lab, "c4", talk, named(queued))
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    states = {status.caller: status.state for status in made.lab.exchange.calls()}
    assert "303" not in states and states["304"] == "waiting"
    queued.hang_up(None, made.lab.now)
    assert left(made)


def test_who_is_transferred_gets_the_place_while_an_agent_rings() -> None:
    """The phone rings on, and by its answer is connected with who has the place."""
    made, _, talk, queued = waiting(served=True)
    rings = made.lab["m1"].leg
    refer(made.lab, "c4", talk, named(queued))
    assert rings.state.value == "ringing" and not made.lab.sent("m1", "CANCEL")
    made.answer("m1")
    made.lab.run(1)
    served = {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by}
    assert served == {"303": "m1"}
    relay = made.media.opened[-2]
    path = relay.paths[0, CALLER]
    assert path is not None and path.host == "10.0.1.3"


@pytest.mark.parametrize("gone", [False, True])
def test_an_agent_answers_while_the_place_changes(gone: bool) -> None:
    """An attended transfer comes of it: who is transferred talks to the agent."""
    made, call, talk, queued = waiting(served=True)
    asked: list[Requested] = []
    made.lab["c3"].on_request = lambda phone, event: asked.append(event)
    refer(made.lab, "c4", talk, named(queued))
    if gone:
        queued.hang_up(None, made.lab.now)
        made.lab.run(0.2)
    made.answer("m1")
    made.lab.run(0.2)
    made.lab["c3"].on_request = agrees
    agrees(made.lab["c3"], asked[0])
    made.lab.run(1)
    assert progress(made.lab, "c4")[-1] == "200 OK"
    served = {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by}
    assert served == {"303": "m1"}
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("m1") and left(made)


def test_an_answer_that_is_none() -> None:
    """Who is transferred has nothing that we speak: 488; the two that talked are connected anew, the referrer waits."""
    made, _, talk, queued = waiting()
    opus = body("10.0.1.3", 4000, "96", more="a=rtpmap:96 opus/48000/2")

    def answers_wrongly(phone: Phone, event: Requested) -> None:
        phone.on_request = agrees
        event.leg.respond(event.transaction, event.request, 200, opus, phone.lab.now)

    made.lab["c3"].on_request = answers_wrongly
    refer(made.lab, "c4", talk, named(queued))
    made.lab.run(1)
    assert progress(made.lab, "c4")[-1] == "488 Not Acceptable Here"
    states = {status.caller: status.state for status in made.lab.exchange.calls()}
    assert states["303"] == "connected" and states["304"] == "waiting"
    assert len(made.lab.sent("c3", "INVITE")) == 2, "it is told of the referrer again"
    assert plays(made.media.opened[-2].speakers[-1]) == (MUSIC,)


def test_a_place_that_was_held_is_served_after_the_transfer() -> None:
    """Phones hold their second call before they transfer: nobody rings for who holds, but for the next."""
    made, _, talk, queued = waiting()
    assert queued.request("INVITE", describes(made.lab["c4"], HELD, 2), None, made.lab.now)
    made.lab.run(1)
    queued.acknowledge(None, made.lab.now)
    refer(made.lab, "c4", talk, named(queued))
    free(made, "m1")
    made.answer("m1")
    made.lab.run(1)
    assert {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by} == {"303": "m1"}


def test_a_blind_refer_to_the_queue_where_one_waits_already() -> None:
    """The number of the queue in which the referrer waits: the place is meant, not another one behind it."""
    made, _, talk, _ = waiting()
    refer(made.lab, "c4", talk, "<sip:600@10.0.0.100>")
    waits = [status.caller for status in made.lab.exchange.calls() if status.state == "waiting"]
    assert waits == ["303", "305"]


def overflows(answer: str) -> tuple[Hall, OutgoingLeg, OutgoingLeg]:
    """Return what becomes of a call that c4 gives to c3 while it rings, and that overflows into the queue then.

    That is the leg of c3, and of c4's own call; `answer`: what c3 says to our offer, "agrees" or "declines".
    """
    desk = Group("d", "Desk", "601", (Member("m2", "m2", device=True, always=True),), give_up_after=5.0, overflow="600")
    made = hall(members=2, more_groups=(desk,))
    made.lab.login("m2", False)
    busy(made, "m1")
    made.lab["c3"].on_request = agrees if answer == "agrees" else declines
    made.lab["c4"].on_request = agrees
    made.lab["c4"].on_invite = picks_up
    call = made.lab["c3"].call("304", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.lab["c3"].accepted(call)
    ringing = made.lab["c4"].call("601", describes(made.lab["c4"]))
    made.lab.run(1)
    (tag,) = ringing.early_tags
    tags = f"to-tag%3D{tag}%3Bfrom-tag%3D{ringing.local_tag}"
    refer(made.lab, "c4", made.lab["c4"].calls[0], f"<sip:601@10.0.0.100?Replaces={ringing.call_id}%3B{tags}>")
    made.lab.run(6)
    return made, call, ringing


def test_a_call_given_away_while_it_rings_overflows_into_a_queue() -> None:
    """Who is transferred waits there with music; the referrer's own call and the talk are over."""
    made, call, ringing = overflows("agrees")
    assert progress(made.lab, "c4")[-1] == "200 OK" and made.lab.sent("c4", "BYE") and made.lab.sent("c4", "487 INVITE")
    assert [c.caller for c in made.lab.exchange.calls() if c.state == "waiting"] == ["303"]
    assert plays(made.voice()) == (MUSIC,)
    free(made, "m1")
    made.answer("m1")
    made.lab.run(1)
    assert {c.caller: c.answered_by for c in made.lab.exchange.calls() if c.answered_by} == {"303": "m1"}
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("m1") and left(made)


def test_who_is_transferred_does_not_want_to_wait_after_an_overflow() -> None:
    """The talk stays as it was, and the call that went on to the queue is over."""
    made, call, ringing = overflows("declines")
    assert progress(made.lab, "c4")[-1] == "488 Not Acceptable Here" and not made.lab.sent("c4", "BYE")
    states = {c.caller: c.state for c in made.lab.exchange.calls()}
    assert states["303"] == "connected" and "waiting" not in states.values()
    assert any(name.endswith(" INVITE") and name[0] in "456" for name in made.lab.to("c4"))
    call.hang_up(None, made.lab.now)
    assert left(made)


def test_one_place_is_given_to_one() -> None:
    """Who gives away a place that somebody is just getting is asked to wait: 491; the first one gets it."""
    made, _, talk, queued = waiting()
    asked: list[Requested] = []
    made.lab["c3"].on_request = lambda phone, event: asked.append(event)
    refer(made.lab, "c4", talk, named(queued))
    phone = made.lab["c1"]
    other = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(other)
    refer(made.lab, "c4", made.lab["c4"].calls[1], named(queued))
    assert made.lab.sent("c4", "491 REFER")
    agrees(made.lab["c3"], asked[0])
    made.lab.run(0.5)
    assert "303" in [status.caller for status in made.lab.exchange.calls() if status.state == "waiting"]
