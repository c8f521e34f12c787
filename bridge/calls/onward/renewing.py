"""Telling one side of a talk our address where no re-INVITE does: by UPDATE (RFC 3311), where its Allow names that.

Where media do not pass us an UPDATE without a description is enough: its Contact says where the other requests of the
dialog are to go, a hang-up above all. A side that takes neither goes on with the address that it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.ordered.errand import Errand
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied

if TYPE_CHECKING:
    from bridge.calls.call import Call

NOT_TOLD = "does not know the bridge's address"


class Renewing(Errand):
    """One leg of a call that is to learn our Contact; `why`: why it was not told by re-INVITE."""

    def __init__(self, call: Call, leg: Leg, why: str) -> None:
        self._call = call
        self._leg = leg
        self._why = why

    def begin(self, now: float) -> None:
        """Tell it, or note that it is not told."""
        if not (self._leg.lookout.takes_update and self._leg.request("UPDATE", None, self, now)):
            self._note(now)

    def on_replied(self, event: Replied, now: float) -> None:
        """Take its answer."""
        if event.status >= 300:
            self._why = f"{event.status} {event.phrase}"
            self._note(now)

    def _note(self, now: float) -> None:
        if self._call.result is None:
            self._call.note(now, None, f"{self._call.seats.name_of(self._leg)} {NOT_TOLD}", self._why)
