"""What stays of calls that are over."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bridge.calls.call import Call
from bridge.sip.leg import Leg
from tests.support.lab import Lab, answers


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Let nothing be found by the garbage collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _of_the_bridge(lab: Lab, kind: type[Call] | type[Leg]) -> list[object]:
    theirs = {id(phone.ua) for phone in lab.phones.values()}
    found = (each for each in gc.get_objects() if isinstance(each, kind))
    return [each for each in found if id(getattr(each, "ua", None)) not in theirs]


@pytest.mark.usefixtures("uncollected")
def test_a_call_goes_without_the_garbage_collector() -> None:
    """A call that is over holds nobody who holds it, so that memory goes with the calls that are up.

    Its legs go half a minute later, with the last of their transactions.
    """
    lab = Lab(members=2)
    lab["m1"].on_invite = answers
    calls, legs = len(_of_the_bridge(lab, Call)), len(_of_the_bridge(lab, Leg))
    leg = lab["c1"].call("600")
    assert lab["c1"].accepted(leg)
    assert len(_of_the_bridge(lab, Call)) == calls + 1
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert len(_of_the_bridge(lab, Call)) == calls
    lab.run(60)
    assert len(_of_the_bridge(lab, Leg)) == legs
