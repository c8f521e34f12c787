"""Whatever everybody does at once, over a bad network, through restarts and other configurations: nothing is left."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.chaos import Chaos

STEPS = 40


@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_left_of_chaos(seed: int) -> None:
    """Calls, transfers, places taken, orders, keys, logins, reloads and restarts by chance: all of it ends."""
    office = Chaos(rng=Random(seed))
    for _ in range(STEPS):
        office.does()
    office.ends()
    assert not office.left()
