"""What a search that found nobody comes to: 486 if every logged-in member was busy, else 480.

Only the logged-in count. The caller, where the call comes from a member, does not count either: a line that
is on this very call says nothing about the others.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.hunting.candidate import Candidate
from bridge.hunting.model import Availability, End, Look, Result


def verdict(candidates: Iterable[Candidate], look: Look, why: str) -> tuple[Result, End]:
    """Return the result and the `End` to be said; `why`: the plan's own reason, where none is plainer."""
    found = [busy for c in candidates if (busy := _was_busy(c, look)) is not None]
    if not found:
        return Result.NOBODY, End(480, "nobody logged in")
    if all(found):
        return Result.NO_ANSWER, End(486, "every logged-in member is busy")
    return Result.NO_ANSWER, End(480, why)


def _was_busy(candidate: Candidate, look: Look) -> bool | None:
    """Whether a member was busy; None: not counted. What the hunt found out itself goes before a look."""
    seen = look(candidate.name)
    if seen.out or seen is Availability.CALLER:
        return None
    return seen.busy if candidate.busy is None else candidate.busy
