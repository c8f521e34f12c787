import itertools

import pytest

from bridge.hunting.candidate import LIVE, TRANSITIONS, Candidate, State, Step
from bridge.hunting.model import Availability


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)))
def test_what_the_table_does_not_list_changes_nothing(state: State, step: Step) -> None:
    """Any step may come in any state; only those in the table change it, and `live` follows the state."""
    candidate = Candidate("anna", 0, state=state, live=state in LIVE)
    listed = step in TRANSITIONS[state]
    assert candidate.take(step) is listed
    assert candidate.state is (TRANSITIONS[state][step] if listed else state)
    assert candidate.live is (candidate.state in LIVE)


def test_every_state_can_be_reached_and_left() -> None:
    """No dead end and no island: a member may be offered the call again whatever happened."""
    assert set(TRANSITIONS) == set(State)
    assert {after for steps in TRANSITIONS.values() for after in steps.values()} == set(State)
    for state in State:
        assert Step.FINAL in TRANSITIONS[state] or state is State.FREE


def test_a_live_offer_is_never_offered_over() -> None:
    """An offer opens only where none is live."""
    assert not any(Step.OFFER in TRANSITIONS[state] for state in LIVE)


@pytest.mark.parametrize(
    ("state", "seen", "busy"),
    [
        (State.FREE, Availability.ON_A_CALL, True),
        (State.FREE, Availability.OFFERED_ANOTHER, True),
        (State.FREE, Availability.PAUSED, False),
        (State.FREE, Availability.NOT_REGISTERED, False),
        (State.FREE, Availability.TRUNK_FULL, False),
        (State.FREE, Availability.LOGGED_OUT, None),
        (State.WITHDRAWN, Availability.OFFERED_ANOTHER, None),
        (State.WITHDRAWN, Availability.PAUSED, False),
    ],
)
def test_a_look_is_remembered_as_busy_or_not(state: State, seen: Availability, busy: bool | None) -> None:
    """Busy is what keeps a line occupied, unless it may be our own offer that is still being withdrawn."""
    candidate = Candidate("anna", 0, state=state)
    assert candidate.see(lambda _: seen) is seen
    assert candidate.busy is busy


def test_to_be_seen_available_takes_back_nothing() -> None:
    """Who answered 486 was busy, though the line seems free a moment later."""
    candidate = Candidate("anna", 0, busy=True)
    candidate.see(lambda _: Availability.AVAILABLE)
    assert candidate.busy is True
