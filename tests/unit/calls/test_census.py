"""The census: how much there is of everything that calls need, with nobody calling none of it."""

from __future__ import annotations

from bridge.calls.census import Census, held_legs
from bridge.directory.model import Queue, Strategy
from tests.support.lab import Lab, answers
from tests.support.phonelab import OFFER
from tests.support.ways import ToldMedia

NOTHING = Census(*[0] * len(Census._fields))


def test_a_talk_is_counted_in_all_that_it_needs_and_leaves_nothing() -> None:
    """While members ring each of them counts; a talk is two legs on two lines; a minute after it there is nothing."""
    lab = Lab()
    assert lab.exchange.census() == NOTHING
    leg = lab["c1"].call("600")
    lab.run(1)
    rings = lab.exchange.census()
    assert (rings.calls, rings.legs, rings.searched) == (1, 4, 3)
    assert rings.on_lines == 1 + 2 * 3, "a call at the caller's line, an offer and a ring at each member's"
    answers(lab["m1"], lab["m1"].leg)
    lab.run(1)
    assert lab["c1"].accepted(leg)
    talk = lab.exchange.census()
    assert (talk.calls, talk.legs, talk.on_lines, talk.timers) == (1, 2, 2, 2)
    assert talk.transactions > 0
    leg.hang_up(None, lab.now)
    lab.run(60)
    assert lab.exchange.census() == NOTHING


def test_a_caller_who_waits_is_counted() -> None:
    """Somebody who waits in a queue is on its floor until they hang up."""
    lab = Lab(strategy=Strategy.QUEUE, media=ToldMedia(20), rules={"queue": Queue()})
    leg = lab["c1"].call("600", OFFER)
    lab.run(1)
    assert lab.exchange.census().waiting == 1
    leg.hang_up(None, lab.now)
    lab.run(60)
    assert lab.exchange.census() == NOTHING


def test_a_leg_is_told_with_its_call_and_whom_it_talks_to() -> None:
    """Each leg is told with its Call-ID, its call, its state and its peer, not more of them than are asked for."""
    lab = Lab(members=1)
    leg = lab["c1"].call("600")
    lab.run(1)
    (call,) = lab.exchange.calls()
    caller, member = held_legs(lab.exchange.ua.legs.values(), lab.now, 10)
    assert (caller.call_id, caller.call, caller.state, caller.peer) == (
        leg.call_id,
        call.call,
        "ringing",
        "udp:10.0.1.1:5060",
    )
    assert (member.call, member.state, member.peer) == (call.call, "ringing", "udp:10.0.0.1:5060")
    assert len(held_legs(lab.exchange.ua.legs.values(), lab.now, 1)) == 1
