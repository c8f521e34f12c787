"""The vocabulary of a hunt: what it is told, what it commands, what it remembers.

A hunt is a pure machine on virtual time: `Hunt.receive(event, now, look)` returns commands; `Hunt.deadline()`
tells when a `Tick` is due. `now` is seconds, monotonic. `look` answers, at that moment, whether a member can
be rung.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple


class Availability(StrEnum):
    """Why a member can or cannot be rung; the words are shown to people."""

    AVAILABLE = "available"
    LOGGED_OUT = "logged out"
    PAUSED = "paused"
    DND = "do not disturb"
    WRAP_UP = "wrap-up"
    NOT_REGISTERED = "phone not registered"
    ON_A_CALL = "on a call"
    OFFERED_ANOTHER = "being offered another call"
    TRUNK_FULL = "trunk full"
    CALLER = "is the caller"
    GROUP_CLOSED = "group closed"
    EXCLUDED = "excluded after failures"

    @property
    def busy(self) -> bool:
        """Whether the member is logged in and only busy: counts for 486 rather than 480."""
        return self in (Availability.ON_A_CALL, Availability.OFFERED_ANOTHER, Availability.DND)

    @property
    def out(self) -> bool:
        """Whether the member does not take part: neither rung nor counted among the logged-in."""
        return self is Availability.LOGGED_OUT

    @property
    def absent(self) -> bool:
        """Whether the member will not be there for a caller who waits a little: not only busy, or full, or resting."""
        return self in _ABSENT

    @property
    def stops_ringing(self) -> bool:
        """Whether a phone that already rings is to stop; all other reasons only keep new offers away."""
        return self in (Availability.LOGGED_OUT, Availability.PAUSED, Availability.GROUP_CLOSED, Availability.DND)


_ABSENT = frozenset(
    {
        Availability.LOGGED_OUT,
        Availability.PAUSED,
        Availability.DND,
        Availability.NOT_REGISTERED,
        Availability.CALLER,
        Availability.GROUP_CLOSED,
    }
)

Look = Callable[[str], Availability]


class Outcome(StrEnum):
    """How an offer to one member ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no answer"
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    DIVERTED = "diverted"  # 3xx, not followed
    WITHDRAWN = "withdrawn"


class Withdrawal(StrEnum):
    """Why a ringing member stops ringing."""

    ELSEWHERE = "answered elsewhere"
    TIMER = "no answer"
    SILENT = "unreachable"
    HELD = "the caller holds"
    UNAVAILABLE = "unavailable"  # logged out, paused or closed while ringing
    CALLER_GONE = "caller gave up"
    GIVE_UP = "gave up"


# -- what a hunt is told ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Begin."""


@dataclass(frozen=True, slots=True)
class Responded:
    """A member's phone sent any provisional response; `ringing`: a 18x."""

    member: str
    ringing: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A member's offer ended with a final response of 300 or above, or failed (408, 503).

    `outcome`: what that means where the status does not tell, as when a phone was picked up and hung up again.
    """

    member: str
    status: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class PickedUp:
    """A member's phone sent a 2xx, but whoever is there has still to say that they take the call."""

    member: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A member's phone sent a 2xx."""

    member: str


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member's availability may have changed: logged in or out, paused, line free, phone registered."""

    member: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody beside the hunt has taken the call: picked it up. `by` is who, for the trace."""

    by: str


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller has cancelled."""


@dataclass(frozen=True, slots=True)
class CallerHolds:
    """A caller who was answered by us has put us on hold (`held`), or taken us off it."""

    held: bool


@dataclass(frozen=True, slots=True)
class Enough:
    """The caller shall search here no more, as after an exit key; `why` is told to people."""

    why: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


HuntEvent = (
    Start | Responded | PickedUp | Refused | Answered | MemberChanged | Taken | CallerGone | CallerHolds | Enough | Tick
)


# -- what a hunt commands --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring this member."""

    member: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop ringing this member (CANCEL, with `Reason: SIP;cause=200` when answered elsewhere)."""

    member: str
    why: Withdrawal


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect the caller to this member; said once at the most."""

    member: str


@dataclass(frozen=True, slots=True)
class Release:
    """Hang up this member's late answer: ACK, then BYE."""

    member: str


@dataclass(frozen=True, slots=True)
class End:
    """Nobody takes the call; `status` is 486 or 480, for where there is no overflow."""

    status: int
    why: str


HuntCommand = Offer | Withdraw | Connect | Release | End


class Decision(NamedTuple):
    """One line of the decision trace; `member` None: about the hunt as a whole."""

    at: float  # seconds, monotonic
    member: str | None
    what: str
    why: str = ""


class Phase(Enum):
    """Where a hunt stands."""

    IDLE = "idle"  # before Start
    HUNTING = "hunting"
    CONNECTED = "connected"
    ENDED = "ended"


class Result(StrEnum):
    """What a hunt came to, in the journal's words; an overflow is the call's to tell."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"  # the caller gave up
    NO_ANSWER = "no answer"
    NOBODY = "nobody logged in"
