"""From edges to gestures, on virtual time."""

from __future__ import annotations

from bridge.desk.filter import GRACE, HELD, STABLE, Filter, Gesture

DOWN, PRESS, HOLD, UP = Gesture.DOWN, Gesture.PRESS, Gesture.HOLD, Gesture.UP


class Finger:
    """Moves a pin, ticks the filter at each of its deadlines, and notes what was meant and when."""

    def __init__(self, *, holds: bool, pressed: bool = False) -> None:
        self.filter = Filter(holds=holds, pressed=pressed)
        self.now = 1000.0
        self.level = pressed
        self.meant: list[Gesture] = []
        self.times: list[float] = []

    def wait(self, seconds: float) -> Finger:
        """Let time pass."""
        until = self.now + seconds
        while (due := self.filter.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self._take(self.filter.tick(self.level, self.now))
        self.now = until
        return self

    def move(self, pressed: bool, *, heard: bool = True) -> Finger:
        """Press or release; unless `heard` the edge gets lost."""
        self.level = pressed
        if heard:
            self._take(self.filter.edge(pressed, self.now))
        return self

    def _take(self, gestures: list[Gesture]) -> None:
        self.meant += gestures
        self.times += [self.now] * len(gestures)


def test_a_press_counts_once_it_has_been_stable_for_25_ms() -> None:
    """A button without a hold acts 25 ms after its edge, while it is still pressed."""
    finger = Finger(holds=False).move(True).wait(1)
    assert finger.meant == [DOWN, PRESS]
    assert finger.times == [1000.0 + STABLE] * 2
    assert finger.move(False).wait(1).meant == [DOWN, PRESS, UP]


def test_contacts_that_bounce_are_one_press() -> None:
    """Edges within 25 ms of each other, at both ends of a press, make one press."""
    finger = Finger(holds=False)
    for _ in range(5):
        finger.move(True).wait(0.004).move(False).wait(0.003)
    finger.move(True).wait(0.2)
    for _ in range(5):
        finger.move(False).wait(0.004).move(True).wait(0.003)
    assert finger.move(False).wait(1).meant == [DOWN, PRESS, UP]


def test_a_spike_is_no_press() -> None:
    """A level that lasts 24 ms means nothing."""
    assert Finger(holds=False).move(True).wait(0.024).move(False).wait(1).meant == []


def test_a_button_that_can_be_held_tells_a_short_press_when_it_is_released() -> None:
    """Released before 0.8 s it is a short press, and no hold."""
    finger = Finger(holds=True).move(True).wait(HELD - 0.01)
    assert finger.meant == [DOWN]
    assert finger.move(False).wait(1).meant == [DOWN, PRESS, UP]


def test_a_hold_is_told_at_800_ms_and_is_no_press() -> None:
    """A hold acts while the finger is still on the button, once."""
    finger = Finger(holds=True).move(True).wait(5)
    assert finger.meant == [DOWN, HOLD]
    assert finger.times[1] == 1000.0 + HELD
    assert finger.move(False).wait(1).meant == [DOWN, HOLD, UP]


def test_a_dropout_does_not_end_a_hold() -> None:
    """A contact that opens for 20 ms under a finger is still held."""
    finger = Finger(holds=True).move(True).wait(0.79).move(False).wait(0.02).move(True).wait(1)
    assert finger.meant == [DOWN, HOLD]


def test_a_button_that_is_down_at_the_start_means_nothing_until_it_is_released() -> None:
    """A stuck button, or a finger on it while the bridge starts, does nothing."""
    finger = Finger(holds=True, pressed=True).wait(5).move(False).wait(1)
    assert finger.meant == [UP]
    assert finger.move(True).wait(0.1).move(False).wait(1).meant == [UP, DOWN, PRESS, UP]


def test_edges_that_the_loop_hears_late_still_count_by_when_they_happened() -> None:
    """A loop that was held up for 2 s is told both edges of a 60 ms press at once: it is a press, no hold."""
    late = Filter(holds=True)
    assert late.edge(True, 1000.0) == []
    assert late.edge(False, 1000.06) == [DOWN]
    assert late.tick(False, 1002.0) == [PRESS, UP]


def test_a_lost_release_is_found_by_reading_the_pin_again() -> None:
    """A button whose release was not heard does not hold: at the deadline the pin is read."""
    finger = Finger(holds=True).move(True).wait(0.1).move(False, heard=False).wait(5)
    assert finger.meant == [DOWN, PRESS, UP]


def test_a_spike_whose_end_was_not_heard_is_no_press() -> None:
    """If the pin is back when 25 ms are over, there was no press, and the next one counts."""
    finger = Finger(holds=False).move(True).wait(0.001).move(False, heard=False).wait(1)
    assert finger.meant == []
    assert finger.move(True).wait(0.1).meant == [DOWN, PRESS]


def test_an_edge_on_its_way_through_another_thread_is_waited_for() -> None:
    """The pin is read just as it is released after 26 ms, before the edge is heard: it is a press."""
    button = Filter(holds=False)
    button.edge(True, 1000.0)
    assert button.tick(False, 1000.0262) == []
    assert button.deadline() == 1000.0262 + GRACE
    assert button.edge(False, 1000.026) == [DOWN, PRESS]


def test_nothing_is_due_while_nothing_happens() -> None:
    """Neither a button at rest nor one that is held beyond its meaning wakes anybody."""
    assert Filter(holds=True).deadline() is None
    assert Finger(holds=True).move(True).wait(5).filter.deadline() is None
    assert Finger(holds=False).move(True).wait(5).filter.deadline() is None
