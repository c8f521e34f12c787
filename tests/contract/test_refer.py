"""REFER by phones that are not our stack: to a call that rings, from both sides of what may go wrong."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.test_line_control import Bridges, Office, Phones
from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]


def test_a_call_that_rings_goes_to_who_is_transferred(stage: Stages) -> None:
    """Semi-attended: the second call rings on though its phone cancels it, and is connected with the first's caller."""
    transfers = Part("member_transfers_to_a_call_that_rings")
    on = stage("parallel", transfers, Part("member_is_asked_for_an_offer", talk=700), always=False)
    on.agent.login("sales", "m1")
    on.call("caller_is_connected_elsewhere", talk=300)
    on.passed()
    assert not on.members[1].received("^CANCEL "), "the phone that rang was not disturbed"


def test_a_desk_phone_transfers_by_number(bridge: Bridges, phone: Phones) -> None:
    """Anna's baresip sends its REFER: Ben's rings with Cara's number, both hear each other; Anna's is hung up."""
    office = Office(bridge, phone)
    office.connect()
    office.anna.transfer("202")
    assert "203@" in office.ben.wait_ringing()["peeruri"]
    office.ben.answer()
    office.anna.wait("CALL_CLOSED")
    office.ben.wait("CALL_ESTABLISHED")
    office.cara.wait_hearing()
    office.ben.wait_hearing()
    office.cara.hang_up()
    office.ended(office.ben, office.cara)


def test_nobody_takes_it_and_the_caller_is_back(stage: Stages) -> None:
    """The referrer hears of each step, the last one being 486; the talk goes on until the caller hangs up."""
    on = stage("parallel", "member_transfers_in_vain", "member_is_asked_for_an_offer_in_vain", always=False)
    on.agent.login("sales", "m1")
    on.call("caller_calls_and_hangs_up", talk=600)
    on.passed()
