"""What is noted of one call while it lasts: each step with its time, who took it, and the `Record` for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.calls.over import CallResult, Record
from bridge.calls.parties import shown
from bridge.calls.status import CallStatus, Step, Story
from bridge.hunting.abridged import Abridged

_LONGEST = 300  # characters of what phones say, or of why


class Chronicle:
    """One call's. `began` is seconds, monotonic, `since` the same in UTC; `called` the number that was dialled.

    The steps of a search are written in when it is over, as `decided`; until then `story` is told of them.
    """

    def __init__(self, called: str, began: float, since: float) -> None:
        self.began = began
        self.since = since
        self.record = Record(began, called)
        self.dialogs: list[str] = Abridged()
        """The Call-IDs of the call's legs, those that rang in vain included."""
        self.answered_by: str | None = None
        self.answered_at: float | None = None  # UTC, seconds
        self._steps: list[Step] = Abridged(lambda count, after: Step(after.at, None, "left out", f"{count} steps"))

    def note(self, now: float, member: str | None, what: str, why: str = "") -> None:
        """Add a step to the story."""
        self._steps.append(Step(round(now - self.began, 3), member, shown(what, _LONGEST), shown(why, _LONGEST)))

    def leave(self, decided: Sequence[Step], result: CallResult, why: str, now: float) -> None:
        """Note that the call goes on elsewhere, and what was `decided` where it was."""
        self._steps += decided
        self.record.leave(result, why, self._steps, now)

    def answered(self, decided: Sequence[Step], line: str, now: float) -> None:
        """Note that who is `answered_by` is connected."""
        assert self.answered_by is not None
        self._steps += decided
        self.record.answered(self.answered_by, line, self._steps, now)

    def close(self, decided: Sequence[Step], came_to: CallResult, result: str, now: float) -> None:
        """Note what the call has come to; `result` says it for people."""
        self._steps += decided
        self.record.close(came_to, result, self._steps, now)

    def story(self, status: CallStatus, decided: Sequence[Step], result: str | None) -> Story:
        """Return every step so far, in order."""
        steps = sorted([*self._steps, *decided], key=lambda step: step.at)
        return Story(status, tuple(steps), result, tuple(self.dialogs))

    # -- over a restart -------------------------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """Return what a restart takes up again of a talk, as plain values."""
        return {
            "since": self.since,
            "answered_by": self.answered_by,
            "answered_at": self.answered_at,
            "record": self.record.plain(),
        }

    def take_up(self, kept: Mapping[str, Any], wall: float) -> None:
        """Take up what was noted of a talk before the restart; its clock goes on from when it began.

        Raises KeyError, TypeError, ValueError where it cannot be read.
        """
        self.since = float(kept["since"])
        self.answered_by = str(kept["answered_by"])
        self.answered_at = float(kept["answered_at"])
        self.record.take_up(kept["record"], self.answered_by, str(kept["line"]))
        self.record.began -= max(0.0, wall - self.since)
        self.record.connected_at = self.record.began + max(0.0, self.answered_at - self.since)
