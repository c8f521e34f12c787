"""What a group has missed, and who has seen it."""

from __future__ import annotations

from typing import Any

from bridge.calls.status import Visit
from bridge.events import CallOver, MissedSeen
from bridge.journal.missed import Missed
from bridge.journal.model import Change, Kind

NOW = 1_800_000_000.0


def over(caller: str, at: float, result: str = "abandoned", groups: tuple[str, ...] = ("support",)) -> CallOver:
    """Return a call that ended so."""
    none: dict[str, Any] = dict.fromkeys(("caller_line", "line", "taken_by", "answered"))
    return CallOver(
        at, call="c", caller=caller, caller_name="", called="600", began=at, wait=1.0, talk=0.0, result=result, why="",
        visits=tuple(Visit(group, 0.0, 1.0, result, "") for group in groups), parts=(), steps=(), **none,
    )  # fmt: skip


def test_a_missed_call_counts_until_its_caller_is_answered() -> None:
    """In every group that it came to; twice the same caller is one; what was refused at once is none."""
    missed = Missed()
    assert missed.take(over("01", NOW, groups=("support", "sales"))) == ("support", "sales")
    missed.take(over("01", NOW + 1))
    missed.take(over("02", NOW + 2, "nobody logged in"))
    assert missed.take(over("03", NOW + 2, "refused")) == ()
    assert (missed.count("support", "anna", NOW + 9), missed.count("sales", "anna", NOW + 9)) == (2, 1)
    assert missed.take(over("01", NOW + 5, "answered")) == ("support",)
    assert (missed.count("support", "anna", NOW + 9), missed.count("sales", "anna", NOW + 9)) == (1, 1)


def test_who_has_seen_it_is_told_of_what_comes_later_alone() -> None:
    """For each member apart; and after a week nobody is told any more."""
    missed = Missed()
    missed.take(over("", NOW))
    assert missed.take(MissedSeen(NOW + 1, "support", "anna", "anna", "button")) == ("support",)
    assert (missed.count("support", "anna", NOW + 2), missed.count("support", "ben", NOW + 2)) == (0, 1)
    missed.take(over("", NOW + 3))
    assert missed.count("support", "anna", NOW + 4) == 1
    assert missed.count("support", "ben", NOW + 8 * 86_400) == 0


def test_a_restart_forgets_neither() -> None:
    """Both come back from the journal."""
    missed = Missed()
    seen = Change(NOW + 1, Kind.SEEN, "support", "anna")
    assert missed.recall([over("01", NOW), over("02", NOW, groups=("sales",))], [seen]) == ("support", "sales")
    assert missed.count("support", "anna", NOW + 2) == 0
    assert missed.count("support", "ben", NOW + 2) == missed.count("sales", "anna", NOW + 2) == 1
