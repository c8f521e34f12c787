"""What is said of a call once it is over: noted while it happens, in as few words as that takes.

A call *visits* one group after the other (it overflows), or a single line. In each visit its *parts* are what became
of it at each member: one for every offer, and one for every member who was passed over, with the reason of the
decision trace. All times are seconds since the call began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from bridge.calls.parties import Called, Caller
from bridge.calls.status import Part, Step, Story, Visit
from bridge.directory.model import Group
from bridge.events import CallOver
from bridge.hunting.abridged import Abridged
from bridge.hunting.model import Availability, Outcome
from bridge.hunting.outcome import outcome_of

_PASSED_OVER = frozenset({"not offered", "not offered yet", "skipped", "waited for"})


class CallResult(StrEnum):
    """What a call, or its visit to one group, came to."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"  # the caller gave up
    NO_ANSWER = "no answer"
    BUSY = "busy"  # every logged-in member was
    DECLINED = "declined"  # of a single line
    DIVERTED = "diverted"  # of a single line, and not followed
    NOBODY = "nobody logged in"
    CLOSED = "group closed"
    OVERFLOWED = "overflowed"  # of a visit: the call went on elsewhere
    RANG = "rang"  # at an analogue line; whether somebody has answered, nobody can tell
    REFUSED = "refused"  # before anybody was searched for
    FAILED = "failed"  # answered with what cannot be carried, or ended by the bridge


class Record:
    """Notes for the journal. `began` is seconds, monotonic; `called` the number that was dialled."""

    def __init__(self, began: float, called: str) -> None:
        self.began = began
        self.called = called
        self.connected_at: float | None = None  # seconds, monotonic
        self.taken_by: str | None = None
        self.line: str | None = None  # that took it
        self.visits: list[Visit] = []
        self.parts: list[Part] = Abridged()
        self.result = CallResult.FAILED
        self.over_at = began
        self._group: str | None = None
        self._since: float | None = None  # when the present visit began; None: between two of them
        self._members: Sequence[str] = ()

    def turn_to(self, group: Group | None, members: Sequence[str], now: float) -> None:
        """Begin a visit to a group, or to a single line (None)."""
        self._group = group.name if group else None
        self._since = now
        self._members = members

    def offer_ended(self, member: str, line: str, at: float, rang: float, outcome: str, why: str) -> None:
        """Note what became of an offer that was made at `at`, seconds, monotonic."""
        self.parts.append(Part(self._group, member, line, round(at - self.began, 3), round(rang, 3), outcome, why))

    def leave(self, result: CallResult, why: str, steps: Iterable[Step], now: float) -> None:
        """End the present visit, if there is one; `steps`: all of the call's so far."""
        if self._since is None:
            return
        at = round(self._since - self.began, 3)
        self._note_passed_over(at, steps)
        self.visits.append(Visit(self._group, at, round(now - self._since, 3), result.value, why))
        self._since = None

    def answered(self, member: str, line: str, steps: Iterable[Step], now: float) -> None:
        """Note who takes the call."""
        self.taken_by, self.line, self.connected_at = member, line, now
        self.leave(CallResult.ANSWERED, "", steps, now)

    def close(self, result: CallResult, why: str, steps: Iterable[Step], now: float) -> None:
        """Note what the call has come to."""
        self.leave(result, why, steps, now)
        self.result = result
        self.over_at = now

    @property
    def wait(self) -> float:
        """How many seconds the caller has waited, for an answer or in vain."""
        return round((self.over_at if self.connected_at is None else self.connected_at) - self.began, 3)

    @property
    def talk(self) -> float:
        """How many seconds were talked."""
        return self.talked(self.over_at)

    def talked(self, now: float) -> float:
        """Return how many seconds have been talked until then."""
        return 0.0 if self.connected_at is None else round(now - self.connected_at, 3)

    def _note_passed_over(self, since: float, steps: Iterable[Step]) -> None:
        """Add who was not offered the call in this visit."""
        offered = {part.member for part in self.parts if part.at >= since and part.group == self._group}
        if len(offered) == len(self._members):
            return
        last = {s.member: s for s in steps if s.member is not None and s.member not in offered and s.at >= since}
        for member in self._members:
            step = last.get(member)
            if step is not None:
                outcome, why = (step.why, "") if step.what in _PASSED_OVER else (step.what, step.why)
                self.parts.append(Part(self._group, member, None, step.at, 0.0, outcome, why))

    # -- over a restart -------------------------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """Return what a restart takes up again, as plain values."""
        return {"visits": self.visits[:], "parts": self.parts[:]}

    @property
    def size(self) -> tuple[int, int]:
        """How much is noted; notes are only added."""
        return len(self.visits), len(self.parts)

    def take_up(self, kept: Mapping[str, Any], taken_by: str | None, line: str) -> None:
        """Take up what an earlier run has noted of a talk. Raises KeyError, TypeError, ValueError."""
        self.visits = [Visit(*visit) for visit in kept["visits"]]
        self.parts.extend(Part(*part) for part in kept["parts"])
        self.taken_by, self.line = taken_by, line


def unanswered(status: int, why: str, alone: bool, nobody: bool) -> CallResult:
    """Return what a search that found nobody has come to; `alone`: for a single line, whose phone's `status` it is."""
    if why == Availability.GROUP_CLOSED.value:
        return CallResult.CLOSED
    if alone:
        return _OF_ONE_PHONE.get(outcome_of(status), CallResult.NO_ANSWER)
    if nobody:
        return CallResult.NOBODY
    return CallResult.BUSY if status == 486 else CallResult.NO_ANSWER


_OF_ONE_PHONE = {
    Outcome.BUSY: CallResult.BUSY,
    Outcome.DECLINED: CallResult.DECLINED,
    Outcome.DIVERTED: CallResult.DIVERTED,
}


def over(record: Record, story: Story, caller: Caller, wall: float) -> CallOver:
    """Return what is said of a call that is over."""
    status = story.status
    return CallOver(
        wall,
        call=status.call,
        caller=caller.number,
        caller_name=caller.name,
        caller_line=caller.line if caller.number or caller.name else None,
        called=record.called,
        line=record.line,
        taken_by=record.taken_by,
        began=status.since,
        answered=status.answered_at,
        wait=record.wait,
        talk=record.talk,
        result=record.result.value,
        why=story.result or "",
        visits=tuple(record.visits),
        parts=tuple(record.parts),
        steps=story.steps,
    )


def never_began(ident: str, caller: Caller, called: Called, status: int, wall: float) -> CallOver:
    """Return what is said of a call that was refused as soon as it came in."""
    group = called.group.name if called.group else None
    why = f"refused: {_REFUSALS.get(status, 'not now')} (SIP {status})"
    return CallOver(
        wall,
        call=ident,
        caller=caller.number,
        caller_name=caller.name,
        caller_line=caller.line if caller.number or caller.name else None,
        called=called.number,
        line=None,
        taken_by=None,
        began=wall,
        answered=None,
        wait=0.0,
        talk=0.0,
        result=CallResult.REFUSED.value,
        why=why,
        visits=(Visit(group, 0.0, 0.0, CallResult.REFUSED.value, why),),
        parts=(),
        steps=(Step(0.0, None, "over", why),),
    )


_REFUSALS = {
    403: "this number may not be called",
    603: "the caller is on the block list",
    404: "no such number",
    482: "it came back to where it was",
    486: "as many calls as are allowed are up",
    503: "too much is going on",
}
