from typing import Any

import pytest

from bridge.directory.logins import Login
from bridge.hunting.availability import availability
from bridge.hunting.model import Availability

IN = Login(logged_in=True)
FREE: dict[str, Any] = {
    "always": False,
    "login": IN,
    "reachable": True,
    "calls": 0,
    "offers_elsewhere": 0,
    "max_calls": 1,
    "trunk_full": False,
    "is_caller": False,
}

# in the fixed order: each makes its reason hold, whatever follows
REASONS: list[tuple[dict[str, Any], Availability]] = [
    ({"login": Login(logged_in=False, paused=True)}, Availability.LOGGED_OUT),
    ({"login": Login(logged_in=True, paused=True)}, Availability.PAUSED),
    ({"group_open": False}, Availability.GROUP_CLOSED),
    ({"dnd": True}, Availability.DND),
    ({"wrap_up": True}, Availability.WRAP_UP),
    ({"excluded": True}, Availability.EXCLUDED),
    ({"is_caller": True}, Availability.CALLER),
    ({"reachable": False}, Availability.NOT_REGISTERED),
    ({"calls": 1, "offers_elsewhere": 1}, Availability.ON_A_CALL),
    ({"offers_elsewhere": 1}, Availability.OFFERED_ANOTHER),
    ({"trunk_full": True}, Availability.TRUNK_FULL),
]


def test_a_member_without_any_reason_against_it_is_available() -> None:
    """Logged in, reachable, idle: available."""
    assert availability(**FREE) is Availability.AVAILABLE


@pytest.mark.parametrize(("state", "reason"), REASONS, ids=lambda v: getattr(v, "value", ""))
def test_each_reason_is_named(state: dict[str, Any], reason: Availability) -> None:
    """Each reason alone gives its own name."""
    assert availability(**FREE | state) is reason


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_the_first_of_several_reasons_is_shown(first: int) -> None:
    """Where several reasons hold, the order is fixed: the member's own first, then the line's, then the trunk's."""
    state = dict(FREE)
    for later, _ in reversed(REASONS[first:]):
        state |= later
    assert availability(**state) is REASONS[first][1]


def test_every_reason_can_be_given() -> None:
    """No name of the vocabulary is without a state that leads to it."""
    assert {reason for _, reason in REASONS} | {Availability.AVAILABLE} == set(Availability)


@pytest.mark.parametrize(
    ("calls", "offers", "seen"),
    [
        (0, 1, Availability.AVAILABLE),
        (1, 0, Availability.AVAILABLE),
        (1, 1, Availability.OFFERED_ANOTHER),
        (0, 2, Availability.OFFERED_ANOTHER),
        (2, 0, Availability.ON_A_CALL),
        (3, 5, Availability.ON_A_CALL),
    ],
)
def test_a_line_takes_max_calls_of_calls_and_offers_together(calls: int, offers: int, seen: Availability) -> None:
    """With `max_calls` 2 a line that is on one call, or offered one, can still be rung."""
    state = FREE | {"max_calls": 2, "calls": calls, "offers_elsewhere": offers}
    assert availability(**state) is seen


def test_a_static_member_is_in_without_a_login_but_can_pause() -> None:
    """`login = "always"`: in from the start; paused is paused."""
    assert availability(**FREE | {"always": True, "login": Login()}) is Availability.AVAILABLE
    assert availability(**FREE | {"always": True, "login": Login(paused=True)}) is Availability.PAUSED


def test_a_phone_that_rings_for_this_hunt_never_hides_that_its_member_left() -> None:
    """What stops a ringing phone comes before all that a ringing phone itself may cause."""
    order = [reason for _, reason in REASONS]
    stops = [order.index(a) for a in Availability if a.stops_ringing]
    caused = [order.index(a) for a in Availability if (a.busy and not a.stops_ringing) or a is Availability.TRUNK_FULL]
    assert max(stops) < min(caused)
