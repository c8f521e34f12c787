"""How callers who wait go: they give up, are let go, overflow, are transferred, or talk as anybody does."""

from __future__ import annotations

import pytest

from bridge.commands.model import LineVerb
from bridge.directory.model import Group, Member, Queue, Strategy
from bridge.media.prompts import MUSIC, Prompt
from bridge.sip.legevents import Ended
from tests.support.hall import HELD, busy, describes, free, hall, picks_up, plays
from tests.support.lab import refuses
from tests.support.ordering import order
from tests.unit.calls.onward.test_transfer import refer
from tests.unit.calls.test_media import body, sdp

# -- going -----------------------------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_is_abandoned() -> None:
    """The agent's phone stops ringing, with the wait told."""
    made = hall()
    call = made.call("c3")
    made.lab.run(7)
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    (event,) = made.told("abandoned")
    assert event.wait == 7.0
    assert "CANCEL" in made.lab.to("m1")
    assert (made.results(), made.media.pairs, made.lab.exchange.calls()) == (["abandoned"], 100, [])


def test_max_wait_without_an_overflow_is_said_and_then_hung_up() -> None:
    """The call is over when the caller has heard it."""
    made = hall(max_wait=60.0)
    busy(made, "m1", "m2")
    made.call("c3")
    made.lab.run(61)
    voice = made.voice()
    assert plays(voice) == (Prompt.NOBODY_AVAILABLE, Prompt.GOODBYE)
    assert [call.state for call in made.lab.exchange.calls()][-1] == "ending"
    assert not made.lab.ended("c3")
    voice.played(made.lab)
    made.lab.run(1)
    assert made.lab.ended("c3")
    assert made.results() == ["no answer"]
    assert [event.wait for event in made.told("missed")] == [60.0]


@pytest.mark.parametrize("gone", ["hangs up", "hears nothing"])
def test_a_caller_who_goes_while_that_is_said_is_gone(gone: str) -> None:
    """Nothing is left, whatever becomes of the announcement."""
    made = hall(max_wait=60.0)
    busy(made, "m1", "m2")
    call = made.call("c3")
    made.lab.run(61)
    if gone == "hangs up":
        call.hang_up(None, made.lab.now)
    made.lab.run(20)
    assert made.results() == ["no answer"]
    assert [call.caller for call in made.lab.exchange.calls() if call.state != "connected"] == []


def test_when_the_last_agent_logs_out_callers_go_on_at_once() -> None:
    """To the overflow, where another queue lets them wait with its own music."""
    other = Group(
        "h",
        "Other",
        "601",
        (Member("c2", "c2", device=True, always=True),),
        strategy=Strategy.QUEUE,
        queue=Queue(music="/tmp/other.wav"),
    )
    made = hall(members=1, overflow="601", more_groups=(other,))
    made.call("c3")
    made.lab.login("m1", False)
    assert [event.reason for event in made.told("overflowed")] == ["nobody can be rung any more"]
    assert plays(made.voice()) == ("/tmp/other.wav",)
    assert made.rung() == ["m1", "c2"]
    assert made.lab.exchange.calls()[0].group == "h"


def test_nobody_waits_where_nobody_is_and_nothing_is_answered() -> None:
    """480 at once, as for any other group."""
    made = hall(logged_in=False)
    made.lab["c3"].call("600", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.lab.to("c3")[-1] == "480 INVITE"
    assert made.media.opened == []


def test_a_full_queue_is_busy() -> None:
    """486 for the next; a caller who hung up by mistake gets in, to the same place."""
    made = hall(members=1, max_waiting=2, keep_place=30.0)
    busy(made, "m1")
    first = made.call("c3")
    made.call("c4")
    made.lab["c5"].call("600", describes(made.lab["c5"]))
    made.lab.run(1)
    assert made.lab.to("c5")[-1] == "486 INVITE"
    first.hang_up(None, made.lab.now)
    made.lab.run(5)
    made.call("c5")
    made.call("c3")
    made.lab.run(1)
    free(made, "m1")
    ringing = [call.caller for call in made.lab.exchange.calls() if call.ringing]
    assert ringing == ["303"]


def test_a_call_that_rang_in_vain_waits_where_it_overflows_to_a_queue() -> None:
    """It is answered then, not before."""
    other = Group("h", "Other", "601", (Member("c2", "c2", device=True, always=True),), overflow="600")
    made = hall(more_groups=(other,))
    made.lab["c2"].on_invite = refuses(486)
    call = made.lab["c3"].call("601", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.lab["c3"].accepted(call)
    assert plays(made.voice()) == (MUSIC,)
    assert made.rung() == ["c2", "m1"]


def test_a_stop_ends_those_who_wait() -> None:
    """Nobody hears silence for ever."""
    made = hall()
    made.call("c3")
    made.lab.run(1)
    made.lab.exchange.stop(made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("c3")
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_after_a_crash_nobody_hears_silence() -> None:
    """The dialog was confirmed: at the next start it gets a BYE."""
    made = hall()
    made.call("c3")
    made.lab.run(1)
    made.lab.restart()
    made.lab.run(1)
    assert made.lab.ended("c3")


def test_a_waiting_caller_can_be_picked_up() -> None:
    """By who is no agent, while all of those talk; the music stops, the place is free, and nobody wraps up for it."""
    made = hall(members=1)
    busy(made, "m1")
    made.call("c3")
    (call,) = [each for each in made.lab.exchange.calls() if each.state == "waiting"]
    made.lab["c4"].on_invite = picks_up
    assert order(made.lab, LineVerb.PICKUP, "c4", call=call.call).ok
    assert made.voice().closed
    (call,) = [each for each in made.lab.exchange.calls() if each.caller == "303"]
    assert (call.state, call.answered_by) == ("connected", "c4")
    assert made.lab.exchange.waiting("g") == []
    made.lab["c4"].leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("c3") and made.media.pairs == 100


# -- after that it is a call as any other ------------------------------------------------------------------------------


def test_hold_and_transfer_work_after_the_connection() -> None:
    """The agent holds, resumes, and transfers the caller to a colleague."""
    made = hall()
    made.call("c3")
    made.answer("m1")
    made.lab.run(1)
    agent = made.lab["m1"]
    for way in (HELD, "a=sendrecv"):
        assert agent.leg.request("INVITE", body("10.0.0.1", 4000, more=way), None, made.lab.now)
        made.lab.run(1)
        assert made.lab.replies("m1")[-1].status == 200
        agent.leg.acknowledge(None, made.lab.now)
        made.lab.run(1)
    made.lab["m2"].on_invite = picks_up
    refer(made.lab, "m1", agent.leg, "<sip:202@10.0.0.100>")
    made.lab.run(2)
    assert made.lab["m2"].invites
    assert any(call.answered_by == "m2" for call in made.lab.exchange.calls())
    assert any(isinstance(event, Ended) for event in made.lab["m1"].said)


def test_who_is_transferred_to_a_queue_waits_there() -> None:
    """The referrer is rid of the call at once; the transferee hears music, and is served in turn."""
    made = hall(members=1)
    busy(made, "m1")
    made.lab["c4"].on_invite = picks_up
    phone = made.lab["c3"]
    leg = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(leg)
    referrer = made.lab["c4"].leg
    refer(made.lab, "c4", referrer, "<sip:600@10.0.0.100>")
    made.lab.run(1)
    assert made.lab.ended("c4")
    assert plays(made.voice()) == (MUSIC,)
    reinvite = made.lab.sent("c3", "INVITE")[-1].message
    assert sdp(reinvite).host == "10.0.0.100"
    assert len(made.lab.exchange.waiting("g")) == 1
    states = {call.caller: call.state for call in made.lab.exchange.calls()}
    assert states["303"] == "waiting"
    free(made, "m1")
    made.answer("m1")
    made.lab.run(0.5)
    assert [call.answered_by for call in made.lab.exchange.calls()] == ["m1"]
    leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_a_transferee_who_refuses_the_queue_stays_where_they_are() -> None:
    """All is as it was, and nobody waits."""
    made = hall(members=1)
    made.lab["c4"].on_invite = picks_up
    phone = made.lab["c3"]
    phone.on_request = lambda each, event: event.leg.respond(event.transaction, event.request, 488, None, each.lab.now)
    leg = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(leg)
    refer(made.lab, "c4", made.lab["c4"].leg, "<sip:600@10.0.0.100>")
    made.lab.run(2)
    assert made.lab.exchange.waiting("g") == []
    assert made.rung() == []
    assert [call.state for call in made.lab.exchange.calls()] == ["connected"]
    assert made.media.pairs == 100
