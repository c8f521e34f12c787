"""Who is served next of those who wait, and by whom."""

from __future__ import annotations

from bridge.directory.model import Group, Member, Order
from bridge.events import WrapUp
from bridge.media.prompts import MUSIC
from bridge.sip.legevents import Rejected
from tests.support.hall import CALLERS, busy, describes, free, hall, picks_up, plays
from tests.support.lab import refuses

# -- who is served ---------------------------------------------------------------------------------------------------


def test_first_come_first_served() -> None:
    """Whoever hangs up first serves whoever came first."""
    made = hall()
    busy(made, "m1", "m2")
    for who in CALLERS:
        made.call(who)
        made.lab.run(1)
    assert made.rung() == []
    assert len(made.lab.exchange.waiting("g")) == 3
    free(made, "m2")
    made.answer("m2")
    free(made, "m1")
    made.answer("m1")
    talks = {call.caller: call.answered_by for call in made.lab.exchange.calls() if call.answered_by}
    assert talks == {"303": "m2", "304": "m1"}
    free(made, "m2")
    assert made.lab["m2"].leg.state.value == "ringing"
    assert len(made.lab.exchange.waiting("g")) == 1


def test_an_agent_who_does_not_answer_rests_and_the_next_is_rung() -> None:
    """The place in the queue stays; after the rest the first may be rung again."""
    made = hall(no_answer_delay=30.0)
    made.call("c3")
    made.lab.run(16)
    assert made.rung() == ["m1", "m2"]
    made.lab.run(20)
    assert made.rung() == ["m1", "m2"]
    made.lab.run(15)
    assert made.rung() == ["m1", "m2", "m1"]
    assert plays(made.voice()) == (MUSIC,)


def test_a_refusal_lets_the_agent_rest_for_all_callers() -> None:
    """Who declined is not asked at once by the next caller."""
    made = hall(members=1, decline_delay=30.0)
    made.lab["m1"].on_invite = refuses(603)
    made.call("c3")
    made.call("c4")
    made.lab.run(25)
    assert made.rung() == ["m1"]
    made.lab.run(10)
    assert made.rung() == ["m1", "m1"]


def test_wrap_up_keeps_calls_of_all_groups_away() -> None:
    """Told to the doors, seen by name, and over by itself."""
    other = Group("h", "Other", "601", (Member("m1", "m1", device=True, always=True),))
    made = hall(members=1, wrap_up=20.0, more_groups=(other,))
    made.call("c3")
    made.answer("m1")
    made.lab.run(5)
    free(made, "m1")
    assert made.lab.exchange.wraps_up("m1") is not None
    made.call("c4")
    made.lab["c2"].call("601")
    made.lab.run(5)
    assert made.rung() == ["m1"]
    assert any(isinstance(e, Rejected) for e in made.lab["c2"].said)
    made.lab.run(16)
    assert made.rung() == ["m1", "m1"]
    assert made.lab.exchange.wraps_up("m1") is None
    said = [(event.group, event.until is None) for event in made.lab.events if isinstance(event, WrapUp)]
    assert said == [("g", False), ("h", False), ("g", True), ("h", True)]


def test_who_logs_in_is_ready() -> None:
    """Wrap-up ends as soon as the member says so."""
    made = hall(members=1, wrap_up=60.0)
    made.call("c3")
    made.answer("m1")
    free(made, "m1")
    made.call("c4")
    assert made.rung() == ["m1"]
    made.lab.login("m1")
    assert made.rung() == ["m1", "m1"]
    assert made.lab.exchange.wraps_up("m1") is None


def test_the_order_outlives_a_restart() -> None:
    """Who was rung last is not rung first again."""
    made = hall(order=Order.ROUND_ROBIN)
    call = made.call("c3")
    assert made.rung() == ["m1"]
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert "orders" in made.lab.exchange.kept.take()
    made.lab.restart()
    made.lab.run(0)
    made.call("c4")
    assert made.rung() == ["m1", "m2"]


# -- many ------------------------------------------------------------------------------------------------------------


def test_200_callers_at_once_at_3_agents() -> None:
    """Each is served or has gone, in the order in which they came; nothing is left behind."""
    made = hall(members=3, no_answer_delay=5.0, max_wait=400.0)
    made.media.pairs = 1000
    phone = made.lab["c3"]
    for number_of_agent in (1, 2, 3):
        made.lab[f"m{number_of_agent}"].on_invite = picks_up
    legs = []
    for _ in range(200):
        leg = phone.call("600", describes(phone))
        legs.append(leg)
        assert phone.accepted(leg)
    ids = [call.call for call in made.lab.exchange.calls()]
    assert len(ids) == 200
    impatient = legs[3::7]
    for second in range(400):
        made.lab.run(1)
        for agent in ("m1", "m2", "m3"):
            up = [leg for leg in made.lab[agent].calls if leg.state.value == "up"]
            assert len(up) <= 1, "one call at a time"
            if second % 5 == int(agent[1]) and up:
                up[0].hang_up(None, made.lab.now)
        if second % 3 == 0 and impatient:
            impatient.pop().hang_up(None, made.lab.now)
    made.lab.run(60)
    results = made.results()
    assert len(results) == 200 and set(results) <= {"answered", "abandoned"}
    assert 150 < results.count("answered") < 200
    served = [event.call for event in made.told("answered")]
    assert served == [call for call in ids if call in served], "first come, first served"
    assert (made.lab.exchange.calls(), made.media.pairs) == ([], 1000)
    assert not made.lab.exchange.ua.legs
    assert made.lab.exchange.board.agents.floor.waiting("g") == 0
    assert made.lab.exchange.waiting("g") == []
