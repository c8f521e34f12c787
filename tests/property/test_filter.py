"""The button filter against its one rule: a level counts when it lasts 25 ms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.desk.filter import HELD, STABLE, Filter, Gesture

LEVELS = st.lists(st.floats(0.0001, 0.0249) | st.floats(0.0251, 0.5) | st.floats(0.85, 2.0), max_size=40)


def gestures(lengths: list[float], *, holds: bool) -> list[Gesture]:
    """Let the pin go up and down, each level for its length, and return what the filter tells."""
    button, told, now, level = Filter(holds=holds), [], 1000.0, False
    for length in [*lengths, 3.0]:
        level = not level
        told += button.edge(level, now)
        until = now + length
        while (due := button.deadline()) is not None and due < until:
            told += button.tick(level, due)
        now = until
    return told


def stable(lengths: list[float]) -> list[tuple[bool, float]]:
    """Return the levels that count, in turn, with how long each lasted: shorter ones belong to what was before."""
    runs: list[tuple[bool, float]] = [(False, 1.0)]
    for index, length in enumerate([*lengths, 3.0]):
        level = index % 2 == 0
        last, lasted = runs[-1]
        if level is last or length < STABLE:
            runs[-1] = (last, lasted + length)
        else:
            runs.append((level, length))
    return runs


@given(LEVELS)
def test_every_press_of_25_ms_is_one_press_and_nothing_shorter_is_any(lengths: list[float]) -> None:
    """Presses are exactly the levels that last, however the contacts bounce in between."""
    presses = sum(level for level, _ in stable(lengths)[1:])
    told = gestures(lengths, holds=False)
    assert told.count(Gesture.PRESS) == told.count(Gesture.DOWN) == presses


@given(LEVELS)
def test_every_press_is_either_short_or_a_hold(lengths: list[float]) -> None:
    """With a function for holding each press is told once: as a hold or as a short press, never as both."""
    told = [g for g in gestures(lengths, holds=True) if g is not Gesture.UP]
    assert told[::2] == [Gesture.DOWN] * ((len(told) + 1) // 2)
    assert all(g in (Gesture.PRESS, Gesture.HOLD) for g in told[1::2])
    presses = sum(level for level, _ in stable(lengths)[1:])
    assert told.count(Gesture.DOWN) == presses


@given(st.floats(STABLE + 0.001, 5.0).filter(lambda s: abs(s - HELD) > 0.001))
def test_a_clean_press_is_a_hold_from_800_ms_on(length: float) -> None:
    """What tells a hold from a short press is 0.8 s, and nothing else."""
    meant = Gesture.HOLD if length > HELD else Gesture.PRESS
    assert gestures([length], holds=True)[1] is meant
