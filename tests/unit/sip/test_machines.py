"""The page of state diagrams is drawn from the tables that run."""

from __future__ import annotations

from enum import Enum

import pytest

from scripts.drawing.machines import MACHINES, PLACE, Machine, page


def test_the_page_is_what_the_tables_are() -> None:
    """Whoever changes a table draws it anew."""
    assert PLACE.read_text(encoding="utf-8") == page(), "run scripts/machines"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.title)
def test_every_state_can_be_reached(machine: Machine) -> None:
    """From the first one, by what the table has; a state that cannot be reached is one that nobody needs."""
    reached, seen = {machine.first}, set[Enum]()
    while reached - seen:
        seen = set(reached)
        reached |= {after for (before, _), after in machine.table.items() if before in seen}
    assert {state for (before, _), after in machine.table.items() for state in (before, after)} == reached
