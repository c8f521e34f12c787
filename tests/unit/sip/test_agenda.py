"""The heap of deadlines: order, moving, and memory that goes with what waits."""

from __future__ import annotations

from bridge.sip.agenda import Agenda


class Waiter:
    """Notes when it is called."""

    def __init__(self) -> None:
        self.due: float | None = None
        self.called: list[float] = []

    def tick(self, now: float) -> None:
        """Note it."""
        self.called.append(now)


def test_whoever_is_due_is_called_once_and_in_order() -> None:
    """A deadline that was moved or taken back is not heard of."""
    agenda, first, moved, gone = Agenda(), Waiter(), Waiter(), Waiter()
    for waiter, due in ((moved, 1.0), (first, 2.0), (gone, 1.5)):
        agenda.arm(waiter, due)
    agenda.arm(moved, 5.0)
    agenda.arm(gone, None)
    assert agenda.deadline() == 2.0
    agenda.tick(3.0)
    assert (first.called, moved.called, gone.called) == ([3.0], [], [])
    agenda.tick(5.0)
    assert moved.called == [5.0] and agenda.deadline() is None


def test_deadlines_that_were_taken_back_are_swept_out() -> None:
    """A hundred thousand calls that ended long before their deadlines leave next to nothing in memory."""
    agenda, stays = Agenda(), Waiter()
    agenda.arm(stays, 10_000.0)
    for number in range(100_000):
        waiter = Waiter()
        agenda.arm(waiter, 600.0 + number)
        agenda.arm(waiter, None)
    assert len(agenda) < 1000
    assert agenda.deadline() == 10_000.0


def test_rough_deadlines_come_a_moment_late_and_never_early() -> None:
    """Those of the same quarter of a second come together; who is armed anew meanwhile comes only then."""
    agenda, first, second, moved, gone, sharp = Agenda(), Waiter(), Waiter(), Waiter(), Waiter(), Waiter()
    for waiter, due in ((first, 32.01), (second, 32.2), (moved, 32.1), (gone, 32.1)):
        rough = agenda.arm_roughly(waiter, due)
        assert rough == waiter.due and due <= rough < due + 0.25
    agenda.arm(moved, 40.0)
    agenda.arm(gone, None)
    agenda.arm(sharp, 32.2)
    assert agenda.deadline() == 32.2 and set(agenda.waiting()) == {first, second, moved, sharp}
    agenda.tick(32.2)
    assert sharp.called == [32.2] and first.called == []
    assert agenda.deadline() == 32.25
    agenda.tick(32.25)
    assert (first.called, second.called, moved.called, gone.called) == ([32.25], [32.25], [], [])
    agenda.tick(40.0)
    assert moved.called == [40.0] and agenda.deadline() is None and len(agenda) == 0
