"""A call to a group that rings one member after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import static
from tests.support.datagrams import Datagrams
from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]

RINGS = "member_rings_until_cancelled"
ANSWERS = Part("member_answers", talk=200)
REFUSALS = ["busy", "busy_everywhere", "declines", "unavailable", "fails", "diverts"]


def test_next_member_after_ring_seconds(stage: Stages) -> None:
    """The first rings for `ring_seconds`, then the next; the one who answers is connected."""
    on = stage("sequential", RINGS, ANSWERS, ring_seconds=1)
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_one_at_a_time(stage: Stages) -> None:
    """While one member rings, no other does."""
    on = stage("sequential", ANSWERS, "member_answers", ring_seconds=30)
    on.call("caller_calls_and_hangs_up")
    on.callers[0].passed()
    on.members[0].passed()
    assert on.members[1].received("^INVITE") == []


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusal_goes_on_at_once(stage: Stages, refusal: str) -> None:
    """Busy, declined, unreachable or diverted: the next member rings without waiting for `ring_seconds`."""
    on = stage("sequential", f"member_{refusal}", ANSWERS, ring_seconds=60)
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_silent_member_is_passed_over(stage: Stages) -> None:
    """A phone that says nothing for 4 s is unreachable, however long `ring_seconds` is; the next one rings."""
    with Datagrams() as silent:
        member = {"line": "silent", "login": "always"}
        lines = {"silent": static("210", silent.port)}
        on = stage("sequential", "member_answers", lines=lines, first=[member], ring_seconds=60)
        on.call("caller_calls_and_hangs_up")
        on.passed()
        assert {data.split(b" ")[0] for data in silent.received()} == {b"INVITE"}


def test_logged_out_members_are_skipped(stage: Stages) -> None:
    """Only active members are rung, in the order of the list."""
    on = stage("sequential", "member_answers", ANSWERS, always=False, ring_seconds=60)
    on.agent.login("600", "m2")
    on.call("caller_calls_and_hangs_up")
    on.callers[0].passed()
    on.members[1].passed()
    assert on.members[0].received("^INVITE") == []


def test_member_who_logs_in_meanwhile_is_next(stage: Stages) -> None:
    """One who logs in during the hunt takes part when it is the turn."""
    on = stage("sequential", RINGS, ANSWERS, always=False, ring_seconds=2)
    on.agent.login("600", "m1")
    on.call("caller_calls_and_hangs_up")
    on.members[0].wait_received("^INVITE")
    on.agent.login("600", "m2")
    on.passed()


def test_logging_out_while_ringing_goes_on(stage: Stages) -> None:
    """A member who logs out stops ringing, and the next one rings at once."""
    on = stage("sequential", RINGS, ANSWERS, always=False, ring_seconds=60)
    on.agent.login("600", "m1", "m2")
    on.call("caller_calls_and_hangs_up").wait_received("^SIP/2.0 180")
    on.agent.logout("600", "m1")
    on.passed()


def test_starts_over_after_the_last(stage: Stages) -> None:
    """After the last member comes the first again, for as many `rounds` as are wanted; then the caller gets 480."""
    members = [Part(RINGS, calls=2), Part(RINGS, calls=2)]
    on = stage("sequential", *members, ring_seconds=1, retry_after=1, rounds=2)
    on.call("caller_is_refused")
    on.refused(480)
    on.passed()


def test_round_in_which_no_phone_rang_ends_the_hunt(stage: Stages) -> None:
    """No storms: if all refuse before they ring, there is no second round; all of them busy is 486."""
    on = stage("sequential", "member_busy", "member_busy_everywhere", retry_after=1)
    on.call("caller_is_refused")
    on.refused(486)
    on.passed()


def test_gives_up(stage: Stages) -> None:
    """The hunt ends after `give_up_after`, in the middle of a ring too."""
    on = stage("sequential", RINGS, "member_answers", ring_seconds=60, give_up_after=1)
    on.call("caller_is_refused")
    on.refused(480)
    on.members[0].passed()
    assert on.members[1].received("^INVITE") == []


def test_caller_cancels(stage: Stages) -> None:
    """The caller gives up while the second rings: that phone stops, and the next never rings."""
    on = stage("sequential", "member_busy", RINGS, "member_answers", ring_seconds=60)
    on.call("caller_cancels")
    on.callers[0].passed()
    on.members[0].passed()
    on.members[1].passed()
    assert on.members[2].received("^INVITE") == []


def test_answer_after_the_ring_is_over(stage: Stages) -> None:
    """A 200 that crosses the CANCEL of an offer that is over gets ACK and BYE; the next member rings all the same."""
    on = stage("sequential", "member_answers_crossing_cancel", ANSWERS, ring_seconds=1)
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_member_hangs_up(stage: Stages) -> None:
    """The member's BYE ends the caller's call."""
    on = stage("sequential", "member_unavailable", "member_hangs_up")
    on.call("caller_stays")
    on.passed()
