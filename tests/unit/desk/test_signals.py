"""Which signal a lamp shows, and how the signals look."""

from __future__ import annotations

import itertools

import pytest

from bridge.desk.lamps import Lamps, level
from bridge.desk.signals import PATTERNS, Pattern, Signal, Truth, pick

RANKED = (
    ("refused", Signal.THREE_FLASHES),
    ("asked", Signal.SHORT_FLASH),
    ("unreachable", Signal.DOUBLE_BLINK),
    ("ringing", Signal.BLINK_FAST),
    ("paused", Signal.BLINK_SLOW),
    ("on", Signal.STEADY),
)


def test_of_all_that_holds_the_first_is_shown() -> None:
    """Refused, asked for, PBX unreachable, ringing, paused, logged in, logged out: in each of the 64 cases."""
    for held in itertools.product((False, True), repeat=len(RANKED)):
        truth = Truth(**{name: holds for (name, _), holds in zip(RANKED, held, strict=True)})
        expected = next((s for (_, s), holds in zip(RANKED, held, strict=True) if holds), Signal.OFF)
        assert pick(truth) is expected


DOUBLE = [(0.0, True), (0.1, False), (0.3, True), (0.4, False)]


def seen(signal: Signal, seconds: float) -> list[tuple[float, bool]]:
    """Return when a lamp that begins to show a signal at 1000 is switched, up to some seconds later."""
    lamps: Lamps[str] = Lamps()
    switches = [(0.0, on) for _, on in lamps.show("lamp", signal, 1000.0)]
    while (due := lamps.deadline()) is not None and due < 1000.0 + seconds:
        switches += [(round(due - 1000.0, 3), on) for _, on in lamps.tick(due)]
    return switches


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (Signal.OFF, []),
        (Signal.STEADY, [(0.0, True)]),
        (Signal.BLINK_SLOW, [(0.0, True), (1.0, False), (2.0, True), (3.0, False)]),
        (Signal.SHORT_FLASH, [(0.0, True), (0.1, False), (1.0, True), (1.1, False), (2.0, True), (2.1, False)]),
        (Signal.DOUBLE_BLINK, [*DOUBLE, (2.0, True), (2.1, False), (2.3, True), (2.4, False)]),
    ],
)
def test_signals_look_like_their_names(signal: Signal, expected: list[tuple[float, bool]]) -> None:
    """Each signal, from the moment on that it is shown, for less than four seconds."""
    limit = 3.0 if signal is Signal.SHORT_FLASH else 3.9
    assert seen(signal, limit - 0.05) == expected


def test_blink_fast_is_faster_than_three_times_a_second() -> None:
    """A ringing lamp cannot be taken for a paused one."""
    assert len(seen(Signal.BLINK_FAST, 1.0)) >= 6


def test_three_flashes_are_three_and_then_it_is_over() -> None:
    """The refusal is told once; the lamp then stays dark until something else is shown."""
    switches = seen(Signal.THREE_FLASHES, 60.0)
    assert [on for _, on in switches] == [True, False] * 3
    assert switches[-1][0] < PATTERNS[Signal.THREE_FLASHES].seconds


def test_three_flashes_are_seen_on_a_lamp_that_was_lit() -> None:
    """A steady lamp goes dark first."""
    lamps: Lamps[str] = Lamps()
    lamps.show("lamp", Signal.STEADY, 1000.0)
    assert lamps.show("lamp", Signal.THREE_FLASHES, 1001.0) == [("lamp", False)]


def test_a_signal_that_is_shown_already_is_not_disturbed() -> None:
    """Being told the same again switches nothing and starts no pattern anew."""
    lamps: Lamps[str] = Lamps()
    lamps.show("lamp", Signal.SHORT_FLASH, 1000.0)
    due = lamps.deadline()
    assert lamps.show("lamp", Signal.SHORT_FLASH, 1000.05) == []
    assert lamps.deadline() == due


def test_lamps_that_blink_alike_are_in_step_and_need_one_wake_up() -> None:
    """Twenty lamps that began to blink at different moments are switched at the same moments."""
    lamps: Lamps[int] = Lamps()
    for name in range(20):
        lamps.show(name, Signal.BLINK_SLOW, 1000.0 + name * 0.01)
    due = lamps.deadline()
    assert due is not None
    assert lamps.tick(due) == [(name, False) for name in range(20)]
    assert lamps.deadline() == pytest.approx(1002.0)


def test_nothing_is_due_while_nothing_blinks() -> None:
    """Steady and dark lamps wake nobody, nor does one that has stopped to blink."""
    lamps: Lamps[str] = Lamps()
    lamps.show("a", Signal.STEADY, 1000.0)
    lamps.show("b", Signal.BLINK_FAST, 1000.0)
    assert lamps.deadline() is not None
    lamps.show("b", Signal.OFF, 1000.1)
    assert lamps.deadline() is None


def test_a_tick_leaves_no_deadline_behind_itself() -> None:
    """At any age of a machine the next change is ahead, though seconds lose their last digits."""
    for signal, started in itertools.product(Signal, (0.0, 1e6 + 1 / 3, 1e9 + 1 / 7)):
        now = started
        for _ in range(200):
            _, due = level(PATTERNS[signal], started, now)
            if due is None:
                break
            assert due > now
            now = due


def test_a_pattern_without_steps_rests() -> None:
    """Off and steady are patterns too."""
    assert level(Pattern(rest=True), 0.0, 5.0) == (True, None)
