"""Telling a caller who waits where we are now: our address has changed, and the music comes from there.

Our voice offers what it has told before, at the new address, by re-INVITE (RFC 3261 §14.1); who refuses that gets it by
UPDATE where its Allow names that (RFC 3311). A member may take the call meanwhile: then the answer is the relay's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.onward.renewing import NOT_TOLD
from bridge.calls.ordered.errand import Errand
from bridge.calls.spoken import Spoken
from bridge.media.standin import REFUSALS
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.switch import Switch

AGAIN = 2.0  # seconds until a caller is asked again with whom something else was just being changed
TRIES = 5
_GLARE = 491


class Retelling(Errand):
    """One caller who is to be told."""

    def __init__(self, call: Call, spoken: Spoken, switch: Switch) -> None:
        self.due: float | None = None
        self._call = call
        self._spoken = spoken
        self._switch = switch
        self._tries = 0

    @property
    def _leg(self) -> Leg:
        return self._spoken.leg

    def tick(self, now: float) -> None:
        """Tell it; whoever is served meanwhile, as a side of a talk."""
        if self._call.result is not None or self._leg.over:
            return
        if self._call.talk is not None:
            self._call.errands.tell_our_place([self._leg], now)
        elif not self._offer("INVITE", now):
            self._try_again(now)

    def stop(self) -> None:
        """Tell nothing more."""
        self._tries = TRIES
        self._switch.arm(self, None)

    def on_replied(self, event: Replied, now: float) -> None:
        """Take its answer."""
        if event.status == _GLARE:
            self._try_again(now)
        elif event.status < 300:
            if event.method == "INVITE":
                event.leg.acknowledge(None, now)
            self._agree(event, now)
        elif not (event.method == "INVITE" and event.status in REFUSALS and self._by_update(now)):
            self._note(f"{event.status} {event.phrase}", now)

    def _agree(self, event: Replied, now: float) -> None:
        try:
            if self._spoken.voice.closed:  # served meanwhile
                self._call.passage.agreed_again(event.leg, event.body)
            elif event.body is not None:
                self._spoken.agree_again(event.body, now)
        except SipError as error:
            self._note(str(error), now)

    def _by_update(self, now: float) -> bool:
        return self._leg.lookout.takes_update and self._offer("UPDATE", now)

    def _offer(self, method: str, now: float) -> bool:
        if self._spoken.voice.closed:  # the relay has taken over: what it was told last
            told = self._call.passage.told(self._leg)
            body = self._call.passage.again(self._leg, told) if told is not None else None
        else:
            body = self._spoken.voice.offer()
        return body is not None and self._leg.request(method, body, self, now)

    def _try_again(self, now: float) -> None:
        self._tries += 1
        if self._tries < TRIES:
            self._switch.arm(self, now + AGAIN)
        else:
            self._note("something else was being changed all the time", now)

    def _note(self, why: str, now: float) -> None:
        if self._call.result is None:
            self._call.note(now, None, f"the caller {NOT_TOLD}", why)
