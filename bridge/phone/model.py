"""A simulated phone as values: whose it is, what it does by itself, what it says has happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.sip.flow import Flow
from bridge.sip.grammar import split_list


@dataclass(frozen=True, slots=True)
class Account:
    """Where a phone registers, and as whom. `expires` is seconds."""

    number: str
    password: str = field(repr=False)
    server: Flow
    expires: int = 300


@dataclass(frozen=True, slots=True)
class Manner:
    """What a phone does with a call by itself; left alone it rings until it is told something else.

    `rings`: it says 180. `answer_after` and `hang_up_after` are seconds, None: not by itself. `refuse_with`: a SIP
    status instead of ringing. `tone` is what it sends in a talk, in Hz (0: silence), at `level` dBFS.
    """

    rings: bool = True
    answer_after: float | None = None
    hang_up_after: float | None = None
    refuse_with: int | None = None
    tone: int = 440
    level: float = -16.0


class Sound(NamedTuple):
    """An RTP packet that is to be sent."""

    host: str
    port: int
    data: bytes


class Registered(NamedTuple):
    """The server knows where the phone is."""


class Unregistered(NamedTuple):
    """The server does not know it, or not any more; `reason` in its own words."""

    reason: str


class Rings(NamedTuple):
    """A call comes in; `caller` is a number, "" where it is anonymous."""

    caller: str
    name: str


class Connected(NamedTuple):
    """The caller has the answer; `codec` is its name."""

    codec: str


class Flowing(NamedTuple):
    """Who may send was changed, by hold and resume of either side."""

    sends: bool
    receives: bool


class Pressed(NamedTuple):
    """The other side pressed a key."""

    key: str


class Refused(NamedTuple):
    """The other side did not agree to what was asked of it in the talk."""

    what: str
    status: int


class Over(NamedTuple):
    """The call has ended. `reason` is the value of a Reason header, if there was one."""

    why: str
    reason: str | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether somebody else took the call, so that it is no missed one (RFC 3326)."""
        causes = [value.replace(" ", "").lower().split(";") for value in split_list(self.reason or "")]
        return any(parts[0] == "sip" and "cause=200" in parts[1:] for parts in causes)


PhoneEvent = Registered | Unregistered | Rings | Connected | Flowing | Pressed | Refused | Over
