"""When states are said: in slices, in order, gathered, and only where they have changed."""

from __future__ import annotations

import asyncio

import pytest

from bridge.calls.status import LineState
from bridge.mqtt import saying
from bridge.mqtt.saying import Sayings
from bridge.mqtt.topics import GroupSubject, LineSubject, Topics
from tests.support.clock import run_virtual
from tests.support.paper import Bureau, bureau

STATES = 5 + 2 + 2 + 2 + 4 + 1  # members, groups, night switches, missed calls, lines, the bridge
MONITORS = 3


class Said:
    """Sayings of a bureau, and what they have published."""

    def __init__(self, here: Bureau) -> None:
        self.topics: list[str] = []
        self.sayings = Sayings(here.port, Topics("P"), lambda topic, _: self.topics.append(topic))

    def everything(self) -> None:
        """Say everything, and `online` when states are said."""
        self.sayings.everything(lambda: self.topics.append("online"))


@pytest.mark.parametrize("slice_seconds", [1.0, 0.0])
def test_states_come_first_then_online_then_monitors(monkeypatch: pytest.MonkeyPatch, slice_seconds: float) -> None:
    """In however many slices it is done."""
    monkeypatch.setattr(saying, "SLICE", slice_seconds)

    async def scene() -> None:
        async with bureau() as here:
            said = Said(here)
            said.everything()
            await asyncio.sleep(1.0)
            assert len(said.topics) == STATES + 1 + MONITORS
            assert said.topics.index("online") == STATES
            assert all(topic.endswith("/monitor") for topic in said.topics[STATES + 1 :])

    run_virtual(scene())


def test_what_changes_within_a_moment_is_said_once_and_only_if_it_differs() -> None:
    """Gathered for 20 ms; what is the same is not said again."""

    async def scene() -> None:
        async with bureau() as here:
            said = Said(here)
            said.everything()
            await asyncio.sleep(1.0)
            said.topics.clear()
            here.telephony.states["anna"] = LineState.BUSY
            for _ in range(5):
                said.sayings.touched([LineSubject("anna"), LineSubject("ben"), GroupSubject("support")])
            await asyncio.sleep(1.0)
            assert said.topics == ["P/line/anna/state", *(f"P/user/{user}/monitor" for user in ("anna", "ben", "cara"))]

    run_virtual(scene())


def test_what_is_still_to_be_said_is_said_at_the_end_or_forgotten() -> None:
    """At the end by `finish`; without a connection it is forgotten, and said anew on the next one."""

    async def scene() -> None:
        async with bureau() as here:
            said = Said(here)
            said.everything()
            await asyncio.sleep(1.0)
            said.topics.clear()
            here.telephony.states["anna"] = LineState.BUSY
            said.sayings.touched([LineSubject("anna")])
            said.sayings.finish()
            assert said.topics == ["P/line/anna/state"]
            here.telephony.states["anna"] = LineState.IDLE
            said.sayings.touched([LineSubject("anna")])
            said.sayings.forget()
            await asyncio.sleep(1.0)
            assert said.topics == ["P/line/anna/state"]

    run_virtual(scene())


def test_it_knows_what_it_says() -> None:
    """So that only what nobody says any more is taken away."""

    async def scene() -> None:
        async with bureau() as here:
            said = Said(here)
            assert not said.sayings.knows("P/line/anna/state")
            said.everything()
            assert said.sayings.knows("P/line/anna/state")
            assert said.sayings.knows("P/user/anna/monitor")
            assert not said.sayings.knows("P/line/gone/state")
            assert not said.sayings.knows("P/user/lobby/monitor")

    run_virtual(scene())
