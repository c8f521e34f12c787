"""What others may see of the telephony: lines, trunks, calls and their stories, as frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class LineState(StrEnum):
    """The contract's states of a line."""

    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """A line's state; `reachable`: whether it can be rung at all. `since` is UTC seconds."""

    line: str
    state: LineState
    since: float
    contacts: tuple[str, ...] = ()  # where it is reached, as URIs

    @property
    def reachable(self) -> bool:
        """Whether its phone can be rung as far as is known."""
        return self.state is not LineState.UNREACHABLE


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """A trunk: `state` is registered, static, trying or lost; `reason` the PBX's own words.

    `odd`: what was learnt of the PBX that others do not do, each an `Odd`.
    """

    trunk: str
    state: str
    since: float
    reason: str = ""
    odd: tuple[str, ...] = ()


class Odd(StrEnum):
    """What a PBX may do in a way of its own, as it is shown to people."""

    CHANGES_NO_CALL = "lets no call be held or transferred"
    TELLS_NOTHING = "does not tell what its lines do"
    SAYS_NOTHING = "answers no OPTIONS"


@dataclass(frozen=True, slots=True)
class CallStatus:
    """A call that is up: `state` is hunting, waiting (answered, in a queue), connected or ending.

    `lines`: those of ours that are on it; `rung`: those that it is being offered to.
    """

    call: str
    state: str
    caller: str
    caller_name: str
    called: str  # the number dialled
    group: str | None
    since: float  # UTC seconds
    ringing: tuple[str, ...] = ()  # members whose phones ring
    answered_by: str | None = None
    answered_at: float | None = None
    lines: tuple[str, ...] = ()
    rung: tuple[str, ...] = ()
    held: bool = False  # one side waits, by command


class Step(NamedTuple):
    """One decision or happening in a call: seconds since its start, whom it is about, what, and why."""

    at: float
    member: str | None
    what: str
    why: str = ""


class Visit(NamedTuple):
    """A call's search in one group (None: for a single line); `result` is a word of `calls.over.CallResult`.

    `at` and `lasted` are seconds, `at` since the call began.
    """

    group: str | None
    at: float
    lasted: float
    result: str
    why: str


class Part(NamedTuple):
    """What became of a call at one member: an offer's outcome, or the reason why there was none (then `line` is None).

    `at` is seconds since the call began; `rang` is seconds, 0 where the phone never rang.
    """

    group: str | None
    member: str
    line: str | None
    at: float
    rang: float
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Story:
    """All steps of a call, so that "why did 21 not ring?" has an answer."""

    status: CallStatus
    steps: tuple[Step, ...]
    result: str | None  # None while the call is up
    dialogs: tuple[str, ...] = ()  # the Call-IDs of its legs


class Telephony(Protocol):
    """The read side of the exchange, as doors and views see it."""

    def line(self, name: str) -> LineStatus:
        """Return the state of a configured line."""

    def trunks(self) -> Sequence[TrunkStatus]:
        """Return every configured trunk's state."""

    def calls(self) -> Sequence[CallStatus]:
        """Return the calls that are up."""

    def ringing(self, group: str) -> bool:
        """Whether a call to this group is ringing at a member now."""

    def waiting(self, group: str) -> Sequence[float]:
        """Return since when each caller of this group waits for somebody to answer, UTC seconds."""

    def wraps_up(self, member: str) -> float | None:
        """Return until when a member is in wrap-up, UTC seconds; None where they are not."""

    def story(self, call: str | None) -> Story | None:
        """Return a call's story by its id, or the last call's; None when there is none."""
