"""Answers that cross our CANCEL while the call goes on elsewhere: acknowledged and hung up, nothing waits for ever."""

from __future__ import annotations

import pytest

from bridge.calls.census import Census
from bridge.directory.model import Group, Member
from tests.support.lab import ANSWER, Lab


@pytest.mark.parametrize("taken", [True, False])
def test_an_answer_that_crosses_the_overflow_is_hung_up(taken: bool) -> None:
    """Who answers just as the call goes on to a group that they are no member of, is hung up; the call goes on."""
    overflow = Group("h", "Overflow", "601", (Member("m2", "m2", device=True, always=True),))
    lab = Lab(members=2, rules={"overflow": "601", "give_up_after": 5.0}, more_groups=(overflow,))
    lab.login("m2", False)
    call = lab["c1"].call("600")
    lab.run(4.9)
    lab.delay = 0.1
    lab.run(0.11)
    assert lab.sent("m1", "CANCEL") and lab.to("m2") == ["INVITE"]
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(2)
    assert [name for name in lab.to("m1") if name in ("ACK", "BYE")] == ["ACK", "BYE"]
    if taken:
        lab["m2"].leg.accept(ANSWER, lab.now)
        lab.run(2)
        assert lab["c1"].accepted(call), "the call has gone on to who is in the other group"
    call.hang_up(None, lab.now)
    lab.run(60)
    assert lab.exchange.census() == Census(*[0] * len(Census._fields))
