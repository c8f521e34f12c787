"""Parallel: every available member rings at once; the first answer wins."""

from typing import Any

import pytest

from bridge.hunting.model import (
    Availability,
    CallerHolds,
    Connect,
    End,
    Offer,
    Phase,
    Release,
    Taken,
    Withdraw,
    Withdrawal,
)
from tests.support.hunts import Scene, ends

FREE, OUT, PAUSED = Availability.AVAILABLE, Availability.LOGGED_OUT, Availability.PAUSED
ON_A_CALL, UNREGISTERED = Availability.ON_A_CALL, Availability.NOT_REGISTERED


def ringing(members: str, **rules: Any) -> Scene:
    """Return a hunt in which every member's phone rings since 0.0 s."""
    scene = Scene(members, **rules)
    scene.start()
    scene.rings(*members.split())
    return scene


def test_every_available_member_rings_at_once() -> None:
    """At the start all who are available are offered the call, in list order, and nobody else."""
    scene = Scene("anna ben carl dora")
    assert scene.start(ben=OUT, dora=UNREGISTERED) == [Offer("anna"), Offer("carl")]


def test_the_first_answer_wins_and_the_others_are_told() -> None:
    """Connect comes first, then each other live offer is withdrawn as answered elsewhere."""
    scene = ringing("anna ben carl")
    assert scene.answers("ben") == [
        Connect("ben"),
        Withdraw("anna", Withdrawal.ELSEWHERE),
        Withdraw("carl", Withdrawal.ELSEWHERE),
    ]


def test_offers_that_have_ended_are_not_withdrawn_again() -> None:
    """Who refused or was withdrawn before is left alone when somebody answers."""
    scene = ringing("anna ben carl")
    scene.refuses("anna", 603)
    scene.becomes("carl", OUT)
    assert scene.answers("ben") == [Connect("ben")]


def test_an_answer_that_crosses_the_cancel_is_released() -> None:
    """Two pick up at once: the second gets its talk ended, once per answer."""
    scene = ringing("anna ben")
    scene.answers("ben")
    assert scene.answers("anna") == [Release("anna")]


def test_a_phone_rings_as_long_as_the_hunt_lasts() -> None:
    """`ring_seconds` is not for parallel: nobody is withdrawn before `give_up_after`."""
    scene = ringing("anna ben", ring_seconds=15.0)
    assert scene.hunt.deadline() == 120.0
    assert scene.until(119.0) == []
    assert scene.until(120.0) == [
        Withdraw("anna", Withdrawal.GIVE_UP),
        Withdraw("ben", Withdrawal.GIVE_UP),
        End(480, "nobody answered in 120 s"),
    ]


@pytest.mark.parametrize("was", [OUT, PAUSED, UNREGISTERED, ON_A_CALL, Availability.WRAP_UP])
def test_a_member_who_becomes_available_starts_to_ring(was: Availability) -> None:
    """Logged in, back from a pause, phone registered, line free: offered at once."""
    scene = Scene("anna ben")
    assert scene.start(anna=was) == [Offer("ben")]
    scene.rings("ben")
    scene.until(7.0)
    assert scene.becomes("anna", FREE) == [Offer("anna")]


def test_a_change_that_leaves_a_member_unavailable_rings_nobody() -> None:
    """Logged in, but the phone is not registered: not yet."""
    scene = Scene("anna ben")
    scene.start(anna=OUT)
    scene.rings("ben")
    assert scene.becomes("anna", UNREGISTERED) == []
    assert scene.becomes("anna", FREE) == [Offer("anna")]


def test_a_member_who_logs_out_stops_and_the_others_ring_on() -> None:
    """Only that phone stops."""
    scene = ringing("anna ben")
    assert scene.becomes("anna", OUT) == [Withdraw("anna", Withdrawal.UNAVAILABLE)]
    assert scene.hunt.ringing == ("ben",)


def test_back_in_at_once_means_ringing_again_after_retry_after() -> None:
    """Out and in again: no second offer within 5 s of the end of the first."""
    scene = ringing("anna ben")
    scene.until(10.0)
    scene.becomes("anna", OUT)
    scene.until(10.2)
    scene.refuses("anna", 487)
    scene.until(11.0)
    assert scene.becomes("anna", FREE) == []
    assert scene.until(15.1) == []
    assert scene.until(15.2) == [Offer("anna")]


def test_back_in_before_the_487_means_waiting_for_it() -> None:
    """While the phone has not confirmed the end of an offer there is no second one; then 5 s from there."""
    scene = ringing("anna ben")
    scene.becomes("anna", OUT)
    assert scene.becomes("anna", FREE) == []
    assert scene.until(8.0) == []
    scene.refuses("anna", 487)
    assert scene.until(12.9) == []
    assert scene.until(13.0) == [Offer("anna")]


def test_back_in_while_the_late_answer_comes_means_5_s_from_there() -> None:
    """The answer that crossed the CANCEL is released, and ends the offer as a 487 does."""
    scene = ringing("anna ben")
    scene.becomes("anna", OUT)
    scene.becomes("anna", FREE)
    scene.until(1.0)
    assert scene.answers("anna") == [Release("anna")]
    assert scene.hunt.phase is Phase.HUNTING
    assert scene.until(5.9) == []
    assert scene.until(6.0) == [Offer("anna")]


def test_a_487_that_never_comes_is_waited_for_32_s() -> None:
    """64*T1 after the CANCEL no final response can come any more; the member may ring again."""
    scene = ringing("anna ben")
    scene.becomes("anna", OUT)
    scene.becomes("anna", FREE)
    assert scene.until(31.9) == []
    assert scene.until(32.0) == [Offer("anna")]


def test_still_out_when_the_wait_is_over_means_no_offer() -> None:
    """At the time of the second offer it is looked again."""
    scene = ringing("anna ben")
    scene.becomes("anna", OUT)
    scene.refuses("anna", 487)
    scene.becomes("anna", FREE)
    scene.becomes("anna", OUT)
    assert scene.until(60.0) == []
    assert scene.becomes("anna", FREE) == [Offer("anna")]


@pytest.mark.parametrize("status", [486, 600, 404, 408, 410, 480, 500, 503])
def test_busy_and_unreachable_phones_are_tried_again_while_others_ring(status: int) -> None:
    """The same call again 5 s after the offer ended, no earlier."""
    scene = ringing("anna ben")
    scene.until(2.0)
    assert scene.refuses("anna", status) == []
    assert scene.until(6.9) == []
    assert scene.until(7.0) == [Offer("anna")]


def test_a_silent_phone_is_tried_again_too() -> None:
    """Silent for 4 s, and 5 s after the leg has ended the next offer."""
    scene = Scene("anna ben")
    scene.start()
    scene.rings("ben")
    assert scene.until(4.0) == [Withdraw("anna", Withdrawal.SILENT)]
    scene.until(6.0)
    scene.refuses("anna", 408)
    assert scene.until(11.0) == [Offer("anna")]


def test_an_offer_that_has_ended_leaves_no_deadline_behind() -> None:
    """Who declined, or logged out and was told so, is nobody to wake up for."""
    scene = Scene("anna ben carl")
    scene.start()
    scene.rings("carl")
    scene.refuses("anna", 603)
    scene.becomes("ben", OUT)
    scene.refuses("ben", 487)
    assert scene.hunt.deadline() == 120.0


@pytest.mark.parametrize("status", [603, 403, 302, 301])
def test_who_declined_or_diverted_has_had_the_call(status: int) -> None:
    """No more for this hunt, not even after logging out and in."""
    scene = ringing("anna ben")
    scene.refuses("anna", status)
    scene.until(20.0)
    assert scene.becomes("anna", OUT) == scene.becomes("anna", FREE) == []
    assert scene.until(119.0) == []


def test_a_busy_phone_whose_line_is_still_busy_waits_for_the_change() -> None:
    """After the 5 s it is looked first; the line getting free rings it at once."""
    scene = ringing("anna ben")
    scene.refuses("anna", 486)
    scene.seen["anna"] = ON_A_CALL
    assert scene.until(30.0) == []
    assert scene.becomes("anna", FREE) == [Offer("anna")]


def test_when_the_last_offer_has_ended_the_hunt_ends_at_once() -> None:
    """Nobody waits for phones that do not ring, nor for a retry."""
    scene = ringing("anna ben")
    assert scene.refuses("anna", 603) == []
    assert scene.refuses("ben", 480) == [End(480, "no phone is ringing any more")]
    assert scene.hunt.deadline() is None


def test_when_the_last_one_logs_out_the_caller_is_told_at_once() -> None:
    """The phone stops and the hunt ends in the same step."""
    scene = ringing("anna")
    assert scene.becomes("anna", OUT) == [
        Withdraw("anna", Withdrawal.UNAVAILABLE),
        End(480, "nobody logged in"),
    ]


def test_all_busy_is_486() -> None:
    """Busy by what is known of the line and busy by the phone's own word count alike."""
    scene = Scene("anna ben carl dora")
    scene.start(ben=ON_A_CALL, carl=OUT)
    assert scene.refuses("anna", 486) == []
    assert scene.refuses("dora", 600) == [End(486, "every logged-in member is busy")]


@pytest.mark.parametrize("status", [603, 480, 302, 408])
def test_one_who_was_not_busy_makes_it_480(status: int) -> None:
    """Declined, unreachable or diverted is not busy."""
    scene = Scene("anna ben")
    scene.start()
    scene.refuses("anna", 486)
    assert ends(scene.refuses("ben", status)) == [480]


def test_a_line_that_our_own_offer_keeps_busy_does_not_count_as_busy() -> None:
    """A silent phone is unreachable, whatever its line looks like while the CANCEL is under way."""
    scene = Scene("anna")
    scene.start()
    scene.seen["anna"] = Availability.OFFERED_ANOTHER
    assert ends(scene.until(4.0)) == [480]


def test_a_full_trunk_is_kept_by_a_look_that_counts() -> None:
    """Who is found available is offered the call in the same step, so the third on a trunk of two is not."""
    scene = Scene("anna ben carl")
    free = 2

    def look(member: str) -> Availability:
        nonlocal free
        free -= 1
        return FREE if free >= 0 else Availability.TRUNK_FULL

    scene.look = look  # type: ignore[method-assign]
    assert scene.start() == [Offer("anna"), Offer("ben")]
    free = 1
    assert scene.becomes("carl", FREE) == [Offer("carl")]


def test_looks_are_few() -> None:
    """One look per member at the start; none for responses, answers and the like; one for one who changed."""
    scene = Scene(" ".join(f"m{n}" for n in range(50)))
    scene.start(m7=OUT)
    assert len(scene.looks) == 50
    del scene.looks[:]
    scene.hears(*(m for m in scene.seen if m != "m7"))
    scene.rings(*(m for m in scene.seen if m != "m7"))
    scene.refuses("m1", 486)
    scene.until(1.0)
    scene.becomes("m7", FREE)
    scene.becomes("m8", ON_A_CALL)
    scene.answers("m9")
    assert scene.looks == ["m7", "m8"]


def test_a_caller_who_holds_from_the_start_rings_everybody_once() -> None:
    """They have waited elsewhere before, and were on hold as they overflowed to here: one offer each afterwards."""
    scene = Scene("anna ben")
    scene.tell(CallerHolds(held=True))
    assert scene.start() == []
    assert scene.tell(CallerHolds(held=False)) == [Offer("anna"), Offer("ben")]


def test_who_picks_up_at_another_phone_has_their_own_released() -> None:
    """A member dials the code for picking up while their own phone rings, and that answers too: it is let go."""
    scene = ringing("anna ben")
    scene.tell(Taken("anna"))
    assert scene.answers("anna") == [Release("anna")]
