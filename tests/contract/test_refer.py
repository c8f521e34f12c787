"""REFER by phones that are not our stack: to a call that rings, from both sides of what may go wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]


def test_a_call_that_rings_goes_to_who_is_transferred(stage: Stages) -> None:
    """Semi-attended: the second call rings on though its phone cancels it, and is connected with the first one's caller."""
    transfers = Part("member_transfers_to_a_call_that_rings")
    on = stage("parallel", transfers, Part("member_is_asked_for_an_offer", talk=700), always=False)
    on.agent.login("sales", "m1")
    on.call("caller_is_connected_elsewhere", talk=300)
    on.passed()
    assert not on.members[1].received("^CANCEL "), "the phone that rang was not disturbed"
