"""What both halves of a call owe their peers: lost and repeated messages, routes, offers and answers, oddities."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.agent import group, static
from tests.support.datagrams import SDP, Datagrams
from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]

ANSWERS = Part("member_answers", talk=100)
ODDITIES = [
    "caller_sends_options",
    "caller_uses_unknown_method",
    "caller_requires_unknown_extension",
    "stray_bye",
    "stray_cancel",
    "stray_reinvite",
]


def test_lost_ack(stage: Stages) -> None:
    """The caller's ACK is lost: the 200 is sent again until it comes (RFC 3261 §13.3.1.4)."""
    on = stage("parallel", ANSWERS)
    on.call("caller_loses_ack", literal=True)
    on.passed()


def test_repeated_200_is_acknowledged_again(stage: Stages) -> None:
    """A member who sends the 200 again gets the ACK again (RFC 3261 §13.2.2.4), and nothing else happens."""
    with Datagrams() as member:
        lines = {"odd": static("210", member.port)}
        on = stage("parallel", lines=lines, groups={"odd": group("602", "odd")})
        caller = on.call("caller_calls_and_hangs_up", called="602", talk=300)
        invite = member.wait(b"INVITE ")
        for status, body in (("180 Ringing", ""), ("200 OK", SDP)):
            member.answer(invite, status, body, port=on.agent.port)
        first = member.wait(b"ACK ")
        caller.wait_received("^SIP/2.0 200")
        member.answer(invite, "200 OK", SDP, port=on.agent.port)
        assert member.wait(b"ACK ") == first
        member.answer(member.wait(b"BYE "), "200 OK", port=on.agent.port)
        on.passed()


def test_second_answer_of_a_fork_is_hung_up(stage: Stages) -> None:
    """Behind a forking proxy a second phone answers too: ACK, then BYE for that one; the first talk goes on."""
    on = stage("parallel", Part("member_answers_on_two_phones", literal=True))
    on.call("caller_calls_and_hangs_up", talk=400)
    on.passed()


def test_lost_invite_is_sent_again(stage: Stages) -> None:
    """An INVITE that gets no answer over UDP is sent again, the same (RFC 3261 §17.1.1.2, timer A)."""
    on = stage("parallel", Part("member_misses_first_invite", literal=True))
    on.call("caller_calls_and_hangs_up")
    on.passed()
    first, second = on.members[0].received("^INVITE")
    assert first == second


def test_lost_bye_is_sent_again(stage: Stages) -> None:
    """A BYE that gets no answer over UDP is sent again (RFC 3261 §17.1.2.2, timer E)."""
    on = stage("parallel", Part("member_misses_first_bye", literal=True))
    on.call("caller_calls_and_hangs_up")
    on.passed()


def test_late_offer(stage: Stages) -> None:
    """Without SDP: the member's offer reaches the caller in the 200, the caller's answer the member in the ACK."""
    on = stage("parallel", Part("member_offers", talk=100))
    on.call("caller_late_offer")
    on.passed()


def test_caller_holds(stage: Stages) -> None:
    """The caller's re-INVITE (sendonly, then sendrecv) is passed across, and the member's answer comes back."""
    on = stage("parallel", Part("member_is_held", talk=100))
    on.call("caller_holds")
    on.passed()


def test_member_holds(stage: Stages) -> None:
    """The member's re-INVITE (sendonly, then sendrecv) is passed across, and the caller's answer comes back."""
    on = stage("parallel", Part("member_holds", talk=100))
    on.call("caller_is_held")
    on.passed()


def test_refused_reinvite_leaves_the_call(stage: Stages) -> None:
    """A re-INVITE that the other side refuses is refused with its status; the talk goes on as before."""
    on = stage("parallel", Part("member_is_refused_reinvite", talk=100))
    on.call("caller_refuses_reinvite", talk=200)
    on.passed()


def test_update_is_passed_across(stage: Stages) -> None:
    """An UPDATE with an offer reaches the member; its answer comes back in the 200 (RFC 3311)."""
    on = stage("parallel", Part("member_is_updated", talk=100))
    on.call("caller_updates")
    on.passed()


def test_caller_behind_proxies(stage: Stages) -> None:
    """Record-Route is echoed in order, and requests to the caller go along it to the Contact (RFC 3261 §12.1.1)."""
    on = stage("parallel", Part("member_hangs_up", talk=100))
    on.call("caller_behind_proxy")
    on.passed()


def test_member_behind_proxies(stage: Stages) -> None:
    """ACK and BYE take the route of the 200, reversed, to the Contact (RFC 3261 §12.1.2)."""
    on = stage("parallel", "member_behind_proxy")
    on.call("caller_stays_until_it_hangs_up")
    on.passed()


def test_unknown_method_in_a_call(stage: Stages) -> None:
    """A method that nobody knows is refused inside a call, and harms it not."""
    on = stage("parallel", ANSWERS)
    on.call("caller_uses_unknown_method_in_call")
    on.passed()


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_every_request_gets_what_is_due(stage: Stages, transport: str) -> None:
    """OPTIONS 200 with Allow, unknown methods 501, unknown extensions 420, what belongs to no dialog 481."""
    on = stage("parallel", callers=len(ODDITIES))
    for scenario in ODDITIES:
        on.call(scenario, transport=transport)
    on.passed()
