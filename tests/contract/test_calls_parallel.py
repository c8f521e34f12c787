"""A call to a group that rings everybody at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import group, static
from tests.support.datagrams import SDP, Datagrams
from tests.support.sipp import Sipp
from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]

ANSWERS_LATER = Part("member_answers", talk=400)
REFUSALS = ["busy", "busy_everywhere", "declines", "unavailable", "fails"]


def test_first_answer_wins(stage: Stages) -> None:
    """All ring at once; the first to answer is connected, the others are told that it was answered elsewhere."""
    on = stage("parallel", "member_loses_race", ANSWERS_LATER, "member_loses_race")
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_member_hangs_up(stage: Stages) -> None:
    """The member's BYE ends the caller's call."""
    on = stage("parallel", "member_hangs_up")
    on.call("caller_stays")
    on.passed()


def test_over_tcp(stage: Stages) -> None:
    """Members that are reached over TCP ring, answer and lose the race as others do; the caller comes over UDP."""
    on = stage("parallel", ANSWERS_LATER, "member_loses_race", transport="tcp")
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_answer_without_ringing(stage: Stages) -> None:
    """A phone that answers at once, without any 180, is connected."""
    on = stage("parallel", "member_answers_without_ringing")
    on.call("caller_stays_until_it_hangs_up")
    on.passed()


def test_early_media_is_kept_from_the_caller(stage: Stages) -> None:
    """Whatever SDP the members send while they ring, the caller hears 180 without SDP."""
    on = stage("parallel", "member_sends_early_media")
    on.call("caller_calls_and_hangs_up")
    on.passed()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusal_of_one_does_not_end_the_hunt(stage: Stages, refusal: str) -> None:
    """Busy, declined or failed, with 6xx too: the others ring on."""
    on = stage("parallel", f"member_{refusal}", ANSWERS_LATER)
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_all_busy(stage: Stages) -> None:
    """486 if every logged-in member was busy, whichever way they said it."""
    on = stage("parallel", "member_busy", "member_busy_everywhere")
    on.call("caller_is_refused")
    on.refused(486)
    on.passed()


def test_none_to_be_had(stage: Stages) -> None:
    """480 if nobody took it and not all of them were busy."""
    on = stage("parallel", "member_busy", "member_unavailable")
    on.call("caller_is_refused")
    on.refused(480)
    on.passed()


def test_diversion_is_not_followed(stage: Stages) -> None:
    """A member's 302 is one who does not take the call."""
    on = stage("parallel", "member_diverts")
    on.call("caller_is_refused")
    on.refused(480)
    on.passed()


def test_nobody_answers(stage: Stages) -> None:
    """After `give_up_after` the phones stop ringing, not as answered elsewhere, and the caller gets 480."""
    on = stage("parallel", "member_rings_until_cancelled", "member_rings_until_cancelled", give_up_after=1)
    on.call("caller_is_refused")
    on.refused(480)
    on.passed()


def test_nobody_logged_in(stage: Stages, bridge: Callable[..., object]) -> None:
    """A group without any logged-in member refuses with 480 at once and rings no phone."""
    with Datagrams() as silent:
        lines = {"out": static("210", silent.port)}
        on = stage("parallel", lines=lines, groups={"empty": group("602", "out", always=False)})
        on.call("caller_is_refused", called="602")
        on.refused(480)
        on.passed()
        assert silent.received() == []


def test_silent_member_does_not_stall_the_others(stage: Stages) -> None:
    """A phone that says nothing gets no CANCEL before its first word (RFC 3261 §9.1), and hinders nobody."""
    with Datagrams() as silent:
        member = {"line": "silent", "login": "always"}
        lines = {"silent": static("210", silent.port)}
        on = stage("parallel", ANSWERS_LATER, lines=lines, more=[member])
        on.call("caller_calls_and_hangs_up")
        on.passed()
        assert {data.split(b" ")[0] for data in silent.received()} == {b"INVITE"}


def test_only_a_silent_member(stage: Stages) -> None:
    """Nothing at all for 4 s is unreachable: the caller is not kept until `give_up_after`."""
    with Datagrams() as silent:
        lines = {"silent": static("210", silent.port)}
        on = stage("parallel", lines=lines, groups={"quiet": group("602", "silent")})
        on.call("caller_is_refused", called="602")
        on.refused(480)
        on.passed()
        assert {data.split(b" ")[0] for data in silent.received()} == {b"INVITE"}


def test_nobody_at_the_contact(stage: Stages) -> None:
    """A contact at which no program listens is unreachable."""
    with Datagrams() as gone:
        port = gone.port
    on = stage("parallel", lines={"gone": static("210", port)}, groups={"nobody": group("602", "gone")})
    on.call("caller_is_refused", called="602")
    on.refused(480)
    on.passed()


def test_caller_cancels(stage: Stages) -> None:
    """The caller gives up: every phone stops ringing, and none is told of an answer elsewhere."""
    on = stage("parallel", "member_rings_until_cancelled", "member_rings_until_cancelled")
    on.call("caller_cancels")
    on.passed()


def test_caller_cancels_before_any_phone_rings(stage: Stages) -> None:
    """A CANCEL waits for the first provisional response, and is sent then; the caller does not wait for it."""
    on = stage("parallel", Part("member_rings_late", talk=400))
    on.call("caller_cancels_before_ringing")
    on.passed()


def test_answer_crosses_the_cancel(stage: Stages) -> None:
    """A 200 that crosses the CANCEL gets its ACK and then a BYE; the winner's call is not touched."""
    on = stage("parallel", Part("member_answers", talk=100), "member_answers_crossing_cancel")
    on.call("caller_calls_and_hangs_up", talk=500)
    on.passed()


def test_answer_crosses_the_callers_cancel(stage: Stages) -> None:
    """A 200 that comes when the caller has gone gets its ACK and then a BYE."""
    on = stage("parallel", "member_answers_crossing_cancel")
    on.call("caller_cancels")
    on.passed()


def test_member_who_logs_in_meanwhile_rings(stage: Stages) -> None:
    """A member who logs in during the hunt starts to ring, and can take the call."""
    on = stage("parallel", "member_loses_race", "member_answers", always=False)
    on.agent.login("600", "m1")
    on.call("caller_calls_and_hangs_up")
    on.members[0].wait_received("^INVITE")
    assert on.members[1].received("^INVITE") == []
    on.agent.login("600", "m2")
    on.passed()


def test_member_who_logs_out_stops_ringing(stage: Stages) -> None:
    """A member who logs out while ringing stops; the others ring on; without any the caller is let go with 480."""
    on = stage("parallel", "member_rings_until_cancelled", "member_rings_until_cancelled", always=False)
    on.agent.login("600", "m1", "m2")
    caller = on.call("caller_is_refused")
    caller.wait_received("^SIP/2.0 180")
    on.agent.logout("600", "m1")
    on.members[0].passed()
    assert on.members[1].process.running and caller.process.running
    on.agent.logout("600", "m2")
    on.refused(480)
    on.passed()


def test_log_out_while_talking(stage: Stages) -> None:
    """Logging out during a call leaves the talk as it is."""
    on = stage("parallel", Part("member_hangs_up", talk=700), always=False)
    on.agent.login("600", "m1")
    caller = on.call("caller_stays")
    caller.wait_received("^SIP/2.0 200")
    on.agent.logout("600", "m1")
    on.passed()


def test_one_call_at_a_time(stage: Stages) -> None:
    """A member who talks is not rung by the next call; if all of them talk, that is 486 at once."""
    on = stage("parallel", Part("member_hangs_up", talk=700))
    on.call("caller_stays").wait_received("^SIP/2.0 200")
    on.call("caller_is_refused")
    on.refused(486)
    on.passed()
    assert len(on.members[0].received("^INVITE")) == 1


def test_overflow(stage: Stages, sipp: Callable[..., Sipp]) -> None:
    """A call that nobody takes goes on to the group's `overflow`."""
    other = sipp("member_answers", talk=100)
    on = stage(
        "parallel",
        "member_busy",
        overflow="601",
        lines={"other": static("210", other.port)},
        groups={"second": group("601", "other")},
    )
    on.call("caller_calls_and_hangs_up")
    on.passed()
    other.passed()


def test_repeated_invite_rings_once(stage: Stages) -> None:
    """A retransmitted INVITE is answered again with what was said last, and starts no second call."""
    with Datagrams() as caller:
        on = stage("parallel", "member_rings_until_cancelled", lines={"odd": static("310", caller.port)})
        invite = caller.request("INVITE", "600", on.agent.port, SDP)
        ringing = caller.wait(b"SIP/2.0 180")
        caller.send(invite, on.agent.port)
        assert caller.wait(b"SIP/2.0 1") == ringing
        caller.request("CANCEL", "600", on.agent.port)
        caller.wait(b"SIP/2.0 487")
        caller.request("ACK", "600", on.agent.port)
        on.passed()
        assert len(on.members[0].received("^INVITE")) == 1


def test_member_sees_who_calls(stage: Stages) -> None:
    """The phone shows the caller's number and name, and the group's prefix in front."""
    on = stage("parallel", "member_answers", prefix="Support")
    on.call("caller_calls_and_hangs_up")
    on.passed()
    [invite] = on.members[0].received("^INVITE")
    shown = next(line for line in invite.splitlines() if line.startswith("From: "))
    assert "Support" in shown and "sip:301@" in shown


def test_unknown_number(stage: Stages) -> None:
    """A number that is nobody's is refused with 404."""
    on = stage("parallel")
    on.call("caller_is_refused", called="999")
    on.refused(404)
    on.passed()


def test_line_is_called_directly(stage: Stages) -> None:
    """A line's own number rings that line alone."""
    on = stage("parallel", Part("member_answers", talk=100))
    on.call("caller_calls_and_hangs_up", called="201")
    on.passed()


def test_story_of_a_call_is_told(stage: Stages) -> None:
    """`explain` says for the last call what became of each member, and why."""
    on = stage("parallel", "member_busy", ANSWERS_LATER, "member_loses_race")
    on.call("caller_calls_and_hangs_up")
    on.passed()
    story = str(on.agent.ask("explain"))
    assert all(word in story for word in ("m1", "busy", "m2", "answered", "m3", "answered elsewhere")), story
