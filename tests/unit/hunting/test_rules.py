from random import Random

import pytest

from bridge.directory.model import Group, Strategy
from bridge.hunting.hunt import PLANS, Hunt
from bridge.hunting.rules import Rules


def test_the_rules_of_a_group_are_its_configuration() -> None:
    """What a group says about ringing is what its hunts go by."""
    group = Group(
        "support",
        "Support",
        "600",
        (),
        strategy=Strategy.SEQUENTIAL,
        ring_seconds=20,
        give_up_after=90,
        retry_after=7,
        rounds=3,
    )
    assert Rules.of(group) == Rules(Strategy.SEQUENTIAL, 20, 90, 7, 3)


def test_the_defaults_are_the_designs() -> None:
    """15 s each, 120 s in all, 5 s between offers, no limit of rounds, 4 s of silence."""
    rules = Rules()
    assert (rules.ring_seconds, rules.give_up_after, rules.retry_after) == (15, 120, 5)
    assert (rules.rounds, rules.silent_after) == (None, 4)
    assert Rules.of(Group("g", "G", "600", ())) == rules


def test_a_strategy_without_a_plan_is_refused_by_name() -> None:
    """A hunt that could not ring anybody is not made at all; the message says what there is."""
    for strategy in set(Strategy) - set(PLANS):
        with pytest.raises(ValueError, match=f"'{strategy.value}'; known: parallel, sequential"):
            Hunt(Rules(strategy), ["anna"], Random(1))
