"""How many calls were answered today: each counted once, also those from before the start."""

from bridge.commands.tally import Tally
from bridge.events import GroupCall

NOON = 1_795_000_000.0


def answered(wall: float) -> GroupCall:
    """Return the event of a call that is answered."""
    return GroupCall(wall, "answered", "g", "1", "555", "")


def test_what_was_before_the_start_is_added() -> None:
    """And what was counted as it happened is not counted again, whenever the journal has been read."""
    tally = Tally()
    tally.add(answered(NOON))
    for wall in (NOON - 50, NOON - 20, NOON - 0.001, NOON, NOON + 1):
        tally.recall("g", "answered", wall)
    assert tally.today("g", "answered", NOON) == 3


def test_yesterday_does_not_count() -> None:
    """Each day begins anew."""
    tally = Tally()
    tally.add(answered(NOON))
    tally.recall("g", "answered", NOON - 86_400)
    assert tally.today("g", "answered", NOON) == 1
    assert tally.today("g", "answered", NOON + 86_400) == 0
