import math

from bridge.hunting.alarms import Alarms
from bridge.hunting.candidate import Candidate


def people() -> tuple[Candidate, Candidate, Candidate]:
    """Return three members, in list order."""
    return Candidate("anna", 0), Candidate("ben", 1), Candidate("carl", 2)


def names(found: list[Candidate]) -> list[str]:
    """Return who is due."""
    return [candidate.name for candidate in found]


def test_without_an_alarm_the_first_is_never() -> None:
    """Nothing set: infinity, and nobody is due."""
    assert Alarms().first() == math.inf
    assert Alarms().due(1e9) == []


def test_those_whose_time_has_come_are_due_once_earliest_first() -> None:
    """An alarm that was due is gone; one later than now stays. At the same time list order decides."""
    alarms, (anna, ben, carl) = Alarms(), people()
    alarms.set(carl, 4.0)
    alarms.set(ben, 4.0)
    alarms.set(anna, 5.0)
    assert alarms.first() == 4.0
    assert names(alarms.due(4.0)) == ["ben", "carl"]
    assert names(alarms.due(4.0)) == []
    assert names(alarms.due(5.0)) == ["anna"]


def test_an_alarm_that_is_moved_counts_only_at_its_new_time() -> None:
    """Earlier or later, and back again: one alarm per candidate."""
    alarms, (anna, *_) = Alarms(), people()
    for at in (4.0, 15.0, 3.0, 4.0, 4.0):
        alarms.set(anna, at)
    assert names(alarms.due(3.5)) == []
    assert names(alarms.due(20.0)) == ["anna"]


def test_an_alarm_can_be_taken_back() -> None:
    """Infinity: no alarm any more."""
    alarms, (anna, *_) = Alarms(), people()
    alarms.set(anna, 4.0)
    alarms.set(anna, math.inf)
    assert alarms.first() == math.inf
    assert alarms.due(10.0) == []
