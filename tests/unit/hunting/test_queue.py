"""A queue: who is offered to whom, and when a caller's wait is over."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.directory.model import Queue, Strategy
from bridge.hunting.estimate import Pace, minutes
from bridge.hunting.floor import AgentState, Floor
from bridge.hunting.model import (
    Availability,
    CallerHolds,
    Connect,
    End,
    Enough,
    HuntCommand,
    Offer,
    Outcome,
    PickedUp,
    Refused,
    Result,
    Withdraw,
    Withdrawal,
)
from tests.support.hunts import Scene

FREE, OUT, PAUSED = Availability.AVAILABLE, Availability.LOGGED_OUT, Availability.PAUSED
TALKS, RUNG = Availability.ON_A_CALL, Availability.OFFERED_ANOTHER
FOR_EVER = float("inf")


def caller(members: str, floor: Floor | None = None, **more: Any) -> Scene:
    """Return a caller of a queue, not yet there."""
    rules = {key: more.pop(key) for key in ("tiers", "caller", "give_up_after", "retry_after") if key in more}
    return Scene(members, Strategy.QUEUE, floor=floor, queue=Queue(**more), **{"give_up_after": FOR_EVER, **rules})


def free(*scenes: Scene, **seen: Availability) -> list[list[HuntCommand]]:
    """Let members become free for all who wait, told in turn; once one is rung, they are taken for the others."""
    said = []
    for scene in scenes:
        commands = [c for name, state in seen.items() for c in scene.becomes(name, state)]
        said.append(commands)
        for command in commands:
            if isinstance(command, Offer):
                seen[command.member] = RUNG
    return said


def test_a_caller_waits_for_as_long_as_somebody_is_there() -> None:
    """Nothing is due but what happens; then the first who is free is rung."""
    scene = caller("anna ben")
    assert scene.start(anna=TALKS, ben=TALKS) == []
    assert scene.hunt.deadline() is None
    assert scene.becomes("ben", FREE) == [Offer("ben")]


def test_one_rings_at_a_time_for_ring_seconds() -> None:
    """Then the next, while the first rests."""
    scene = caller("anna ben")
    assert scene.start() == [Offer("anna")]
    scene.rings("anna")
    assert scene.until(15.0) == [Withdraw("anna", Withdrawal.TIMER), Offer("ben")]
    assert scene.floor.away("anna") is AgentState.RESTING


def test_all_of_a_tier_ring_at_once_where_that_is_wanted() -> None:
    """Who becomes free rings too; the next tier only once nobody in this one can be rung."""
    scene = caller("anna ben carl", ring_all=True, tiers={"carl": 1})
    assert scene.start(ben=TALKS) == [Offer("anna")]
    assert scene.becomes("ben", FREE) == [Offer("ben")]
    scene.rings("anna", "ben")
    assert scene.refuses("anna", 486) == []
    assert scene.refuses("ben", 603) == [Offer("carl")]


def test_a_tier_is_tried_when_the_lower_ones_are_exhausted() -> None:
    """A member of a lower tier who is free again goes first."""
    scene = caller("anna ben", tiers={"anna": 1})
    assert scene.start(ben=TALKS) == [Offer("anna")]
    scene.becomes("ben", FREE)
    assert scene.refuses("anna", 486) == [Offer("ben")]


@pytest.mark.parametrize(("status", "seconds"), [(480, 10.0), (486, 15.0), (603, 30.0), (302, 10.0)])
def test_a_member_rests_after_an_offer_that_came_to_nothing(status: int, seconds: float) -> None:
    """For as long as belongs to how it ended; and for all queues, since the floor knows it."""
    scene = caller("anna")
    scene.start()
    assert scene.refuses("anna", status) == []
    assert scene.floor.deadline() == seconds
    assert scene.floor.tick(seconds - 0.1) == []
    scene.until(seconds)
    assert scene.floor.tick(seconds) == ["anna"]
    assert scene.becomes("anna", FREE) == [Offer("anna")]


def test_first_come_first_served() -> None:
    """Whoever is free goes to the caller who has waited longest."""
    floor = Floor()
    first, second = caller("anna ben", floor), caller("ben anna", floor)
    first.start(anna=TALKS, ben=TALKS)
    second.start(anna=TALKS, ben=TALKS)
    assert free(first, second, ben=FREE) == [[Offer("ben")], []]
    assert free(first, second, anna=FREE) == [[], [Offer("anna")]]


def test_an_earlier_caller_who_does_not_know_yet_goes_first_too() -> None:
    """A later one passes the member over, and sees to it that all are told."""
    floor = Floor()
    first, second = caller("anna", floor), caller("ben anna", floor)
    first.start(anna=TALKS)
    second.start(anna=TALKS)
    first.seen["anna"] = second.seen["anna"] = FREE  # and nobody was told
    assert second.refuses("ben", 486) == []
    assert ("not offered", "an earlier caller goes first") in second.told("anna")
    assert floor.take_owed() == ["anna"]
    assert free(first, second, anna=FREE) == [[Offer("anna")], []]


def test_a_caller_who_holds_us_keeps_the_place_and_is_passed_over() -> None:
    """The phone that rings stops; afterwards it goes on, in front of who came later."""
    floor = Floor()
    first, second = caller("anna", floor), caller("anna", floor)
    first.start()
    second.start(anna=RUNG)
    assert first.tell(CallerHolds(held=True)) == [Withdraw("anna", Withdrawal.HELD)]
    first.refuses("anna", 487)
    first.now = second.now = 20.0
    assert free(first, second, anna=FREE) == [[], [Offer("anna")]]
    assert second.refuses("anna", 486) == []
    floor.ready("anna")
    assert first.tell(CallerHolds(held=False)) == [Offer("anna")]
    assert floor.position(floor._waiting[0]) == 1


def test_nobody_comes_in_where_nobody_can_be_rung() -> None:
    """Nobody logged in, or all paused; somebody who only talks, or writes something down, is there."""
    scene = caller("anna ben")
    scene.seen.update(anna=OUT, ben=PAUSED)
    assert scene.hunt.barred(0.0, scene.look) == End(480, "nobody can be rung")
    scene.seen.update(ben=Availability.WRAP_UP)
    assert scene.hunt.barred(0.0, scene.look) is None
    welcome = caller("anna", join_empty=True)
    welcome.seen.update(anna=OUT)
    assert welcome.hunt.barred(0.0, welcome.look) is None


def test_callers_leave_when_nobody_is_left() -> None:
    """At once, not after a time-out; unless they may stay."""
    scene = caller("anna ben")
    scene.start(anna=TALKS, ben=OUT)
    assert scene.becomes("anna", PAUSED) == [End(480, "nobody can be rung any more")]
    stays = caller("anna", leave_empty=False)
    stays.start(anna=TALKS)
    assert stays.becomes("anna", OUT) == []
    assert stays.becomes("anna", FREE) == [Offer("anna")]


def test_who_came_in_although_nobody_was_there_waits_for_somebody() -> None:
    """And leaves when they have come and gone again."""
    scene = caller("anna", join_empty=True)
    assert scene.start(anna=OUT) == []
    assert scene.becomes("anna", PAUSED) == []
    assert scene.becomes("anna", FREE) == [Offer("anna")]
    scene.refuses("anna", 486)
    assert scene.becomes("anna", OUT) == [End(480, "nobody can be rung any more")]


def test_so_many_wait_and_no_more() -> None:
    """The next is told so; a place that is kept is somebody's."""
    floor = Floor()
    first = caller("anna", floor, max_waiting=1, keep_place=30.0, caller="555-1")
    assert first.hunt.barred(0.0, first.look) is None
    first.start(anna=TALKS)
    second = caller("anna", floor, max_waiting=1, caller="555-2")
    assert second.hunt.barred(0.0, second.look) == End(486, "1 callers wait already")
    first.caller_gives_up()
    second.start(anna=TALKS)
    again = caller("anna", floor, max_waiting=1, caller="555-1")
    assert again.hunt.barred(1.0, again.look) is None


def test_max_wait_ends_the_wait() -> None:
    """Also while the caller holds us."""
    scene = caller("anna", give_up_after=60.0)
    scene.start(anna=TALKS)
    scene.tell(CallerHolds(held=True))
    assert scene.until(60.0) == [End(480, "nobody answered in 60 s")]
    assert scene.hunt.result is Result.NO_ANSWER


def test_an_exit_key_ends_the_wait() -> None:
    """Whoever rings stops."""
    scene = caller("anna")
    scene.start()
    said = scene.tell(Enough("pressed 0"))
    assert said[0] == Withdraw("anna", Withdrawal.GIVE_UP)
    assert isinstance(said[1], End)
    assert scene.floor.waiting("g") == 0


def test_who_calls_again_gets_the_place_back() -> None:
    """Within the time, and only who is known."""
    floor = Floor()
    one, two = (caller("anna", floor, keep_place=30.0, caller=who) for who in ("555-1", ""))
    one.start(anna=TALKS)
    two.start(anna=TALKS)
    waits = caller("anna", floor, keep_place=30.0, caller="555-3")
    waits.start(anna=TALKS)
    one.caller_gives_up()
    two.caller_gives_up()
    back = caller("anna", floor, keep_place=30.0, caller="555-1")
    back.now = 29.0
    back.start(anna=TALKS)
    stranger = caller("anna", floor, keep_place=30.0, caller="")
    stranger.now = 29.0
    stranger.start(anna=TALKS)
    assert [floor.position(waiter) for waiter in floor._waiting] == [1, 2, 3]
    assert [waiter.caller for waiter in floor._waiting] == ["555-1", "555-3", ""]
    back.caller_gives_up()
    late = caller("anna", floor, caller="555-1")
    late.now = 60.0
    late.start(anna=TALKS)
    assert [waiter.caller for waiter in floor._waiting] == ["555-3", "", "555-1"]


def test_wrap_up_goes_before_rest_and_ends_by_itself_or_when_they_are_ready() -> None:
    """A member is told by name why no call comes."""
    floor = Floor()
    floor.wrap_up("anna", 10.0, 0.0)
    floor.rest("anna", 60.0, 0.0)
    assert (floor.away("anna"), floor.wraps_up("anna")) == (AgentState.WRAP_UP, 10.0)
    assert floor.tick(10.0) == ["anna"]
    floor.rest("anna", 60.0, 10.0)
    assert floor.wraps_up("anna") is None
    floor.wrap_up("anna", 5.0, 11.0)
    assert floor.away("anna") is AgentState.WRAP_UP
    assert floor.ready("anna") is True
    assert (floor.away("anna"), floor.deadline(), floor.ready("anna")) == (None, None, False)


@pytest.mark.parametrize("strategy", Strategy)
def test_who_picked_up_does_not_have_the_call_yet(strategy: Strategy) -> None:
    """The others ring on, the caller waits on, until 1 is pressed; then they have it."""
    scene = Scene("anna", strategy, queue=Queue())
    scene.start()
    scene.rings("anna")
    scene.now = 14.0
    assert scene.tell(PickedUp("anna")) == []
    assert scene.until(25.9) == []  # 12 s to press 1, also where the phone would have rung for one second more
    assert scene.answers("anna") == [Connect("anna")]


def test_who_picked_up_and_pressed_nothing_gave_no_answer() -> None:
    """In time, and neither does one who hangs up."""
    scene = Scene("anna ben", Strategy.PARALLEL)
    scene.start()
    scene.rings("anna", "ben")
    scene.tell(PickedUp("anna"))
    assert scene.until(12.0) == [Withdraw("anna", Withdrawal.TIMER)]
    scene.tell(PickedUp("ben"))
    assert scene.tell(Refused("ben", 480, Outcome.NO_ANSWER))[-1:] == [End(480, "no phone is ringing any more")]
    assert ("no answer", "picked up, but did not take the call, rang 12.0 s") in scene.told("ben")


def test_nothing_is_promised_while_nothing_is_known() -> None:
    """Three calls tell something; nobody there, or hours, tell nothing."""
    pace = Pace()
    for seconds in (100.0, 200.0):
        pace.note("g", seconds)
    assert pace.estimate("g", 1, 1) is None
    pace.note("g", 300.0)
    assert pace.estimate("g", 1, 1) == 200.0
    assert pace.estimate("g", 3, 2) == 300.0
    assert pace.estimate("g", 1, 0) is None
    assert pace.estimate("g", 100, 1) is None
    assert pace.estimate("other", 1, 1) is None
    again = Pace()
    again.load(pace.dump())
    assert again.estimate("g", 1, 1) == 200.0


@pytest.mark.parametrize(("seconds", "said"), [(0.0, 1), (60.0, 1), (61.0, 2), (600.0, 10)])
def test_an_estimate_is_said_in_whole_minutes(seconds: float, said: int) -> None:
    """Rather too many than too few."""
    assert minutes(seconds) == said
