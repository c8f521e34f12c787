"""What a call asks of its surroundings: the exchange (`Switch`), and who waits for its answer (`Asking`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.directory.handling import When
from bridge.directory.model import Group, Member
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import Availability, Outcome
from bridge.sip.agenda import Timed
from bridge.sip.leg import Leg
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.onward.following import Followed
    from bridge.calls.onward.transfer import Transfer
    from bridge.calls.queue.agents import Agents


class Switch(Protocol):
    """What a call asks of the exchange."""

    def look(self, call: Call, member: Member, granted: Sequence[Member]) -> Availability:
        """Tell whether a member can be rung by this call now, `granted` being about to be rung as well."""

    def ring(self, call: Call, line: str, now: float) -> list[OutgoingLeg]:
        """Send the INVITEs to a line's contacts; empty where it has none."""

    def follow(self, call: Call, line: str, contacts: Sequence[str], now: float) -> Followed | None:
        """Ring where a line's phone sends its calls; None where that is not followed, or leads nowhere."""

    def follow_handled(self, call: Call, line: str, now: float) -> Followed | None:
        """Ring where a member has let all calls of the line go, where the group follows that; None: at the line."""

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""

    @property
    def agents(self) -> Agents:
        """Who takes calls, and what all hunts share."""

    def hunt_for(self, call: Call, called: Called) -> tuple[Hunt, tuple[Member, ...]]:
        """Make the hunt for a group or a single line."""

    def diverted(self, call: Call, when: When) -> Called | None:
        """Find where the line that is called lets its calls go, None: nowhere else."""

    def overflow(self, call: Call, number: str) -> Called | None:
        """Find where an overflow leads; None where it leads nowhere or round in a circle."""

    def count(self, line: str | None, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's use."""

    def arm(self, who: Timed, due: float | None) -> None:
        """Set when the `tick` of a call, or of whoever waits for it, is due."""

    def hunting(self, call: Call, members: tuple[Member, ...]) -> None:
        """Note whose changes the call wants to know."""

    def tell(self, call: Call, event_type: str, member: str | None = None, reason: str | None = None) -> None:
        """Tell the doors a step of a group's call."""

    def tell_ended(self, call: Call, member: str, outcome: Outcome, rang: float) -> None:
        """Tell the doors how an offer to a member ended; `rang`: for how many seconds."""

    def is_open(self, group: Group) -> bool:
        """Whether a group takes calls now."""

    def keep(self, call: Call) -> None:
        """Note that a talk is to be written, so that a restart can take it up."""

    def refer(self, call: Call, referrer: Leg, transferee: Leg, request: Request, now: float) -> Transfer:
        """Look where a REFER leads; return the transfer that is to begin. Raises `SipError` where it is refused."""

    def begin(self, call: Call, now: float) -> None:
        """Take a call up and let it search."""

    def carry(self, trunk: str, more: int) -> None:
        """Count a trunk's calls."""

    def name_of(self, party: Caller) -> str:
        """Return who is said to talk where somebody has come by a transfer."""

    def still_at(self, leg: Leg) -> tuple[str, str]:
        """Return host and session, digits, for a description with which nothing flows to a leg."""

    def party(self, line: str | None, name: str) -> Caller:
        """Return a line of ours as a caller."""

    def closed(self, call: Call) -> None:
        """Note that the call is over and its legs are on their way out."""

    def notice_no_ports(self, what: str) -> None:
        """Say that media found no ports."""

    def tell_waits(self, call: Call, position: int, expected: float | None) -> None:
        """Tell the doors that a call's caller has come to a queue."""

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""


class Asking(Protocol):
    """Who waits for the call to be answered: the caller's leg, or the transfer that makes the call."""

    @property
    def offer(self) -> Body | None:
        """The caller's offer; None where it made none."""

    @property
    def ringing(self) -> bool:
        """Whether it has been told that a phone rings."""

    def ring(self, now: float) -> None:
        """Take note that a phone rings."""

    def accept(self, body: Body | None, now: float) -> None:
        """Take the answer, or the offer where it made none."""

    def reject(self, status: int, now: float) -> None:
        """Take note that nobody takes the call."""
