"""In which order members are rung, and what is remembered for it."""

from __future__ import annotations

import json
from random import Random

import pytest

from bridge.directory.model import Order, Strategy
from bridge.hunting.candidate import Candidate
from bridge.hunting.floor import Floor
from bridge.hunting.model import Offer
from bridge.hunting.orders import Orders
from tests.support.hunts import Scene

NAMES = ("anna", "ben", "carl", "dora")


def order(orders: Orders, by: Order, tiers: dict[str, int] | None = None, seed: int = 1, group: str = "g") -> str:
    """Return the initials of the members in the order in which they would be rung."""
    candidates = [Candidate(name, place, (tiers or {}).get(name, 0)) for place, name in enumerate(NAMES)]
    return "".join(c.name[0] for c in orders.sort(group, by, candidates, Random(seed)))


def test_listed_is_the_list() -> None:
    """Nothing that happened matters."""
    orders = Orders()
    orders.offered("g", "carl")
    orders.took("anna", "2026-11-24")
    orders.ended("anna")
    assert order(orders, Order.LISTED) == "abcd"


def test_round_robin_goes_on_after_whoever_was_last_offered_a_call_of_this_group() -> None:
    """And another group has a round of its own."""
    orders = Orders()
    orders.offered("g", "ben")
    assert order(orders, Order.ROUND_ROBIN) == "cdab"
    assert order(orders, Order.ROUND_ROBIN, group="other") == "abcd"


def test_round_robin_after_somebody_who_has_left_begins_anew() -> None:
    """The list is all there is."""
    orders = Orders()
    orders.offered("g", "zoe")
    assert order(orders, Order.ROUND_ROBIN) == "abcd"


def test_longest_idle_is_whose_last_call_ended_first() -> None:
    """Who has had none yet has waited longest."""
    orders = Orders()
    for name in ("carl", "anna", "carl", "ben"):
        orders.ended(name)
    assert order(orders, Order.LONGEST_IDLE) == "dacb"


def test_fewest_calls_are_counted_by_day() -> None:
    """Everybody begins the day with none."""
    orders = Orders()
    for name in ("anna", "anna", "ben", "dora"):
        orders.took(name, "2026-11-24")
    assert order(orders, Order.FEWEST_CALLS) == "cbda"
    orders.took("carl", "2026-11-25")
    assert order(orders, Order.FEWEST_CALLS) == "abdc"


def test_random_draws_lots() -> None:
    """Not the same each time, and nobody is left out."""
    drawn = {order(Orders(), Order.RANDOM, seed=seed) for seed in range(30)}
    assert len(drawn) > 5
    assert {"".join(sorted(each)) for each in drawn} == {"abcd"}


@pytest.mark.parametrize("by", Order)
def test_a_tier_goes_before_any_order(by: Order) -> None:
    """Tier by tier, whatever happened."""
    orders = Orders()
    orders.offered("g", "anna")
    orders.ended("anna")
    orders.took("anna", "2026-11-24")
    found = order(orders, by, {"anna": 0, "dora": 1, "carl": 2, "ben": 3})
    assert found == "adcb"


def test_the_counters_survive_a_restart() -> None:
    """As plain values; what is learned goes on from there."""
    orders = Orders()
    for name in ("carl", "anna"):
        orders.offered("g", name)
        orders.took(name, "2026-11-24")
        orders.ended(name)
    after = Orders()
    after.load(json.loads(json.dumps(orders.dump())))
    for by in (Order.ROUND_ROBIN, Order.LONGEST_IDLE, Order.FEWEST_CALLS):
        assert order(after, by) == order(orders, by)
    after.ended("ben")
    assert order(after, Order.LONGEST_IDLE) == "dcab"


@pytest.mark.parametrize(
    "kept", [{}, {"last": 1}, {"last": {}, "ended": {"a": "x"}, "taken": {}, "ends": 0, "day": ""}]
)
def test_what_cannot_be_read_is_an_error_and_changes_nothing(kept: dict[str, object]) -> None:
    """The exchange says so and begins anew."""
    orders = Orders()
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        orders.load(kept)
    assert order(orders, Order.LONGEST_IDLE) == "abcd"


def test_a_sequential_group_goes_round_from_call_to_call() -> None:
    """The second call begins with whoever follows on the last who was offered the first."""
    floor = Floor()
    first = Scene("anna ben carl", Strategy.SEQUENTIAL, floor=floor, order=Order.ROUND_ROBIN)
    assert first.start() == [Offer("anna")]
    assert first.refuses("anna", 486) == [Offer("ben")]
    second = Scene("anna ben carl", Strategy.SEQUENTIAL, floor=floor, order=Order.ROUND_ROBIN)
    assert second.start() == [Offer("carl")]


def test_a_sequential_group_tries_the_next_tier_when_the_lower_ones_are_through() -> None:
    """In each round anew."""
    scene = Scene("anna ben carl", Strategy.SEQUENTIAL, tiers={"anna": 1}, rounds=2)
    assert scene.start() == [Offer("ben")]
    scene.rings("ben")
    assert scene.refuses("ben", 486) == [Offer("carl")]
    assert scene.refuses("carl", 486) == [Offer("anna")]
    assert scene.refuses("anna", 486) == []
    assert scene.until(5.0) == [Offer("ben")]
