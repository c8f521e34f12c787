"""One offer to one member: all contacts of the member's line ring, the first answer counts (RFC 3261 §16.7).

To the hunt a member is one phone, however many are registered at the line. The fork's answer to "how did it end" is
the best final response: a decline over busy over the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.queue.confirming import Confirming

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
_RANK = {603: 0, 403: 1, 600: 2, 486: 3}


class Fork:
    """The legs of one offer."""

    def __init__(self, member: str, line: str, asked_at: float) -> None:
        self.member = member
        self.line = line
        self.asked_at = asked_at  # seconds, monotonic
        self.legs: list[OutgoingLeg] = []
        self.offered = True  # counts as an offer to its line
        self.ringing = False
        self.rang_at: float | None = None  # seconds, monotonic
        self.body: Body | None = None  # of the answer, until the caller has it
        self.answered: Leg | None = None
        self.acknowledged = False  # before it takes the call, since we have spoken to it
        self.confirming: Confirming | None = None  # who answered has still to press 1
        self.takes = False  # beside the hunt: who answers here has picked the call up
        self.redirected: tuple[str, ...] = ()  # Contacts of a 3xx: where one of its phones sends its calls
        self.followed = False  # it rings there
        self._statuses: list[int] = []

    def rejected(self, leg: OutgoingLeg, status: int) -> int | None:
        """Note that a leg failed; return the fork's status once no leg is left, else None."""
        if leg in self.legs:
            self.legs.remove(leg)
        self._statuses.append(status)
        if self.legs:
            return None
        return min(self._statuses, key=lambda s: _RANK.get(s, 10))

    @classmethod
    def of_one(cls, leg: Leg, member: str, line: str, body: Body | None, now: float) -> Fork:
        """Return what stands for a phone that has called us to take the call."""
        fork = cls(member, line, now)
        fork.offered = False
        fork.takes = True
        fork.answered = leg
        fork.body = body
        return fork

    def win(self, leg: OutgoingLeg, now: float) -> None:
        """Note which leg answered, and stop the line's other phones."""
        self.answered = leg
        for other in self.legs:
            if other is not leg:
                other.cancel(ELSEWHERE, now)

    def rang(self, now: float) -> float:
        """Return for how many seconds a phone has rung."""
        return 0.0 if self.rang_at is None else now - self.rang_at

    def withdraw(self, reason: str | None, now: float) -> None:
        """Stop ringing, and hang up on who has not taken the call."""
        for leg in self.legs:
            leg.cancel(reason, now)
        if self.confirming is not None:
            self.confirming.hang_up(reason, now)
