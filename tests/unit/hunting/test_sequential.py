"""Sequential: one at a time in list order, round after round."""

from typing import Any

import pytest

from bridge.directory.model import Strategy
from bridge.hunting.model import (
    Availability,
    Connect,
    End,
    Offer,
    Phase,
    Release,
    Withdraw,
    Withdrawal,
)
from tests.support.hunts import Scene, ends

FREE, OUT, FULL = Availability.AVAILABLE, Availability.LOGGED_OUT, Availability.TRUNK_FULL
ON_A_CALL, UNREGISTERED = Availability.ON_A_CALL, Availability.NOT_REGISTERED
TIMER = Withdrawal.TIMER


def hunting(members: str, **rules: Any) -> Scene:
    """Return a sequential hunt, not yet started."""
    return Scene(members, Strategy.SEQUENTIAL, **rules)


def no_answer(scene: Scene, member: str, until: float) -> list[object]:
    """The offered member rings until then, in vain, and the phone confirms the CANCEL at once."""
    scene.rings(member)
    said = scene.until(until)
    return [*said, *scene.refuses(member, 487)]


def test_the_first_active_member_is_offered_the_call_and_nobody_else() -> None:
    """List order; who is not active is skipped."""
    scene = hunting("anna ben carl")
    assert scene.start(anna=OUT) == [Offer("ben")]


def test_each_rings_for_ring_seconds_counted_from_the_offer() -> None:
    """15 s from the offer, not from the 180; then the next active member at once."""
    scene = hunting("anna ben carl")
    scene.start(ben=UNREGISTERED)
    scene.until(3.0)
    scene.rings("anna")
    assert scene.hunt.deadline() == 15.0
    assert scene.until(14.9) == []
    assert scene.until(15.0) == [Withdraw("anna", TIMER), Offer("carl")]


def test_the_answer_of_the_one_who_rings_wins() -> None:
    """Nobody else is rung, so nobody is withdrawn."""
    scene = hunting("anna ben")
    scene.start()
    no_answer(scene, "anna", 15.0)
    scene.rings("ben")
    assert scene.answers("ben") == [Connect("ben")]


def test_an_answer_that_crosses_the_cancel_is_released_and_the_next_rings_on() -> None:
    """Anna picks up as her time ends: the call is Ben's by then."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    scene.until(15.0)
    assert scene.answers("anna") == [Release("anna")]
    scene.rings("ben")
    assert scene.answers("ben") == [Connect("ben")]


@pytest.mark.parametrize("status", [486, 600, 603, 403, 404, 410, 480, 500, 503, 302, 408])
def test_busy_declined_unreachable_and_diverted_go_on_at_once(status: int) -> None:
    """The next member is offered the call in the same step."""
    scene = hunting("anna ben")
    scene.start()
    assert scene.refuses("anna", status) == [Offer("ben")]


def test_a_silent_phone_goes_on_after_4_s() -> None:
    """Nothing at all: the next one, without waiting for `ring_seconds`."""
    scene = hunting("anna ben")
    scene.start()
    assert scene.until(4.0) == [Withdraw("anna", Withdrawal.SILENT), Offer("ben")]


def test_a_phone_that_is_heard_but_does_not_ring_has_its_ring_seconds() -> None:
    """A 100 without a 180: no answer after 15 s."""
    scene = hunting("anna ben")
    scene.start()
    scene.hears("anna")
    assert scene.until(15.0) == [Withdraw("anna", TIMER), Offer("ben")]
    assert ("no answer", "did not ring") in scene.told("anna")


def test_ring_seconds_shorter_than_the_silence_count_too() -> None:
    """2 s each are 2 s, response or not."""
    scene = hunting("anna ben", ring_seconds=2)
    scene.start()
    assert scene.until(2.0) == [Withdraw("anna", TIMER), Offer("ben")]


def test_who_logs_out_while_ringing_hands_over_at_once() -> None:
    """The ringing stops and the next active member is offered the call."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    assert scene.becomes("anna", OUT) == [Withdraw("anna", Withdrawal.UNAVAILABLE), Offer("ben")]


def test_after_the_last_it_starts_over() -> None:
    """Round after round in the same order."""
    scene = hunting("anna ben")
    scene.start()
    no_answer(scene, "anna", 15.0)
    assert no_answer(scene, "ben", 30.0) == [Withdraw("ben", TIMER), Offer("anna")]
    assert no_answer(scene, "anna", 45.0) == [Withdraw("anna", TIMER), Offer("ben")]
    assert [what for what, _ in scene.told(None)] == ["started", "round 2"]


def test_until_give_up_after() -> None:
    """120 s since Start end the hunt in the middle of a ring."""
    scene = hunting("anna ben", ring_seconds=50)
    scene.start()
    no_answer(scene, "anna", 50.0)
    no_answer(scene, "ben", 100.0)
    scene.rings("anna")
    assert scene.until(120.0) == [
        Withdraw("anna", Withdrawal.GIVE_UP),
        End(480, "nobody answered in 120 s"),
    ]


@pytest.mark.parametrize(("rounds", "end"), [(1, 30.0), (2, 60.0), (3, 90.0)])
def test_or_until_the_rounds_are_rung(rounds: int, end: float) -> None:
    """`rounds` = n: after the n-th nobody is rung any more."""
    scene = hunting("anna ben", rounds=rounds)
    scene.start()
    while not scene.over:
        for member in ("anna", "ben"):
            no_answer(scene, member, scene.now + 15.0)
    assert scene.now == end
    assert scene.told(None)[-1] == ("ended", f"rung {rounds} round{'s' if rounds > 1 else ''}")


def test_a_round_in_which_no_phone_rang_ends_the_hunt() -> None:
    """Refused by all without any 180: no storm of INVITEs, the caller is told."""
    scene = hunting("anna ben carl")
    scene.start()
    scene.refuses("anna", 480)
    scene.until(3.0)
    assert scene.refuses("ben", 486) == [Offer("carl")]
    scene.hears("carl")
    assert scene.refuses("carl", 603) == [End(480, "no phone rang in this round")]


def test_one_phone_that_rang_is_enough_for_another_round() -> None:
    """Though it was refused then, and all others did not ring."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    scene.refuses("anna", 486)
    scene.hears("ben")
    scene.until(5.0)
    assert scene.refuses("ben", 480) == [Offer("anna")]
    assert scene.refuses("anna", 486) == []  # now ben was refused just now: waited for
    assert scene.until(10.0) == [Offer("ben")]
    assert ends(scene.refuses("ben", 480)) == [480]  # in the second round nobody rang


def test_all_busy_is_486() -> None:
    """By what is known of the line or by the phone's own word."""
    scene = hunting("anna ben carl")
    scene.start(anna=ON_A_CALL, carl=OUT)
    assert scene.refuses("ben", 486) == [End(486, "every logged-in member is busy")]


def test_whoever_is_due_too_early_is_waited_for() -> None:
    """One member alone: 5 s of pause between two rings, counted from the end of the offer."""
    scene = hunting("anna")
    scene.start()
    assert no_answer(scene, "anna", 15.0) == [Withdraw("anna", TIMER)]
    assert scene.hunt.phase is Phase.HUNTING
    assert scene.hunt.deadline() == 20.0
    assert scene.until(19.9) == []
    assert scene.until(20.0) == [Offer("anna")]


def test_the_wait_counts_from_the_487_where_that_is_later() -> None:
    """The offer has ended when the phone says so."""
    scene = hunting("anna")
    scene.start()
    scene.rings("anna")
    scene.until(18.0)
    assert scene.refuses("anna", 487) == []
    assert scene.until(22.9) == []
    assert scene.until(23.0) == [Offer("anna")]


def test_the_wait_is_over_when_the_awaited_logs_out() -> None:
    """The next active member is offered the call at once; without any, the hunt ends at once."""
    scene = hunting("anna ben")
    scene.start(ben=OUT)
    no_answer(scene, "anna", 15.0)
    scene.seen["ben"] = FREE
    assert scene.becomes("anna", OUT) == [Offer("ben")]

    scene = hunting("anna")
    scene.start()
    no_answer(scene, "anna", 15.0)
    assert scene.becomes("anna", OUT) == [End(480, "nobody logged in")]


def test_the_wait_goes_on_while_others_change() -> None:
    """Order is order: who comes later in the list does not jump ahead of the one who is waited for."""
    scene = hunting("anna ben")
    scene.start(ben=OUT)
    no_answer(scene, "anna", 15.0)
    assert scene.becomes("ben", FREE) == []
    assert scene.until(20.0) == [Offer("anna")]
    assert no_answer(scene, "anna", 35.0) == [Withdraw("anna", TIMER), Offer("ben")]


def test_a_phone_that_has_vanished_does_not_hold_up_the_others() -> None:
    """Anna's phone never confirms the CANCEL: in the next round her turn is skipped, and Ben rings."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    scene.until(15.0)
    assert no_answer(scene, "ben", 30.0) == [Withdraw("ben", TIMER)]  # ben is waited for, not anna
    assert scene.until(35.0) == [Offer("ben")]
    assert ("skipped", "the phone has not yet confirmed the end of its last offer") in scene.told("anna")


def test_a_phone_that_has_vanished_may_ring_again_after_32_s() -> None:
    """64*T1 after the CANCEL its turn counts again."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    scene.until(15.0)
    no_answer(scene, "ben", 30.0)
    scene.until(35.0)
    assert no_answer(scene, "ben", 50.0) == [Withdraw("ben", TIMER), Offer("anna")]


def test_one_who_never_confirms_and_is_alone_ends_the_hunt() -> None:
    """The round that follows rings nobody."""
    scene = hunting("anna")
    scene.start()
    scene.rings("anna")
    assert scene.until(15.0) == [Withdraw("anna", TIMER)]
    assert scene.until(20.0) == [End(480, "no phone rang in this round")]


@pytest.mark.parametrize("retry_after", [0.0, 5.0])
def test_a_line_kept_busy_by_our_own_withdrawn_offer_is_waited_for(retry_after: float) -> None:
    """One member alone, whose line looks busy or whose trunk looks full until the 487 comes."""
    for seen in (Availability.OFFERED_ANOTHER, ON_A_CALL, FULL):
        scene = hunting("anna", retry_after=retry_after)
        scene.start()
        scene.rings("anna")
        scene.seen["anna"] = seen
        assert scene.until(15.0) == [Withdraw("anna", TIMER)]
        scene.seen["anna"] = FREE
        scene.until(15.1)
        assert scene.refuses("anna", 487) + scene.until(15.1 + retry_after) == [Offer("anna")]


def test_a_trunk_of_one_rings_its_second_phone_when_the_first_has_ended() -> None:
    """Withdrawn, but still on the trunk until its 487: the next is waited for that long, not skipped."""
    scene = hunting("anna ben")
    scene.start()
    scene.rings("anna")
    scene.seen["ben"] = FULL
    assert scene.until(15.0) == [Withdraw("anna", TIMER)]
    scene.until(15.2)
    scene.seen["ben"] = FREE
    assert scene.refuses("anna", 487) == [Offer("ben")]
    assert ("waited for", "trunk full") in scene.told("ben")


def test_a_trunk_that_is_full_for_other_reasons_is_not_waited_for() -> None:
    """Somebody else's calls are on it: skipped."""
    scene = hunting("anna ben carl")
    scene.start()
    scene.rings("anna")
    scene.seen["ben"] = FULL
    assert scene.refuses("anna", 486) == [Offer("carl")]
    assert ("skipped", "trunk full") in scene.told("ben")


def test_a_trunk_that_our_withdrawn_offer_never_leaves_is_waited_for_5_s() -> None:
    """Then the turn goes on."""
    scene = hunting("anna ben carl")
    scene.start()
    scene.rings("anna")
    scene.seen["ben"] = FULL
    assert scene.until(19.9) == [Withdraw("anna", TIMER)]
    assert scene.until(20.0) == [Offer("carl")]


def test_who_logs_in_ahead_of_the_ring_is_rung_in_this_round() -> None:
    """The place is still ahead."""
    scene = hunting("anna ben carl")
    scene.start(ben=OUT)
    scene.rings("anna")
    assert scene.becomes("ben", FREE) == []
    assert scene.until(15.0) == [Withdraw("anna", TIMER), Offer("ben")]


def test_who_logs_in_behind_the_ring_is_rung_in_the_next_round() -> None:
    """The place is past: this round goes on first."""
    scene = hunting("anna ben carl")
    scene.start(anna=OUT)
    scene.rings("ben")
    assert scene.becomes("anna", FREE) == []
    assert no_answer(scene, "ben", 15.0) == [Withdraw("ben", TIMER), Offer("carl")]
    assert no_answer(scene, "carl", 30.0) == [Withdraw("carl", TIMER), Offer("anna")]


def test_looks_are_few() -> None:
    """While a phone rings nobody is looked at but that member; the next turn looks only as far as it must."""
    scene = hunting(" ".join(f"m{n}" for n in range(50)))
    scene.start(m0=OUT, m3=OUT)
    assert scene.looks == ["m0", "m1"]
    scene.rings("m1")
    scene.becomes("m7", OUT)
    scene.becomes("m1", ON_A_CALL)
    scene.until(10.0)
    scene.refuses("m1", 486)
    assert scene.looks == ["m0", "m1", "m1", "m2"]
