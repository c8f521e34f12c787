"""What a call asks of its surroundings: the exchange (`Switch`), and who waits for its answer (`Asking`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.directory.model import Group, Member
from bridge.sip.agenda import Timed
from bridge.sip.leg import Leg
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.offering import Offering
    from bridge.calls.onward.targets import Targets
    from bridge.calls.onward.transfers import Transfers
    from bridge.calls.queue.agents import Agents
    from bridge.calls.telling import Telling


class Switch(Protocol):
    """What a call asks of the exchange."""

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""

    @property
    def offering(self) -> Offering:
        """Whom calls may be offered, and the INVITEs for them."""

    @property
    def targets(self) -> Targets:
        """Where calls lead."""

    @property
    def transfers(self) -> Transfers:
        """Where transfers lead."""

    @property
    def telling(self) -> Telling:
        """What the doors are told of calls."""

    @property
    def agents(self) -> Agents:
        """Who takes calls, and what all hunts share."""

    def count(self, line: str | None, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's use."""

    def arm(self, who: Timed, due: float | None) -> None:
        """Set when the `tick` of a call, or of whoever waits for it, is due."""

    def hunting(self, call: Call, members: tuple[Member, ...]) -> None:
        """Note whose changes the call wants to know."""

    def is_open(self, group: Group) -> bool:
        """Whether a group takes calls now."""

    def keep(self, call: Call) -> None:
        """Note that a talk is to be written, so that a restart can take it up."""

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
