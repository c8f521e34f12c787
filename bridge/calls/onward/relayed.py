"""Going through the relay after all: a phone has answered with a place that the caller cannot reach.

That a phone is behind NAT shows at times only in its answer: it has registered with an address that it learned from
somewhere, and describes another. The caller is answered with ours at once; the phone, which was offered the caller's
own place, is told ours by re-INVITE (RFC 3261 §14.1), or where it refuses that by UPDATE, if its Allow names it
(RFC 3311). Until it agrees it sends to the caller, who may hear it or not; one that refuses, as PBXs do, goes on so.

In the same way sides of a relayed talk are told that our own address is another now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.ordered.errand import Errand
from bridge.media.standin import REFUSALS
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.passage import Passage
    from bridge.calls.switch import Switch

SOON = 0.1  # seconds after the connection: its ACK is to be there first
AGAIN = 2.0
TRIES = 5
_GLARE = 491


class Relaying(Errand):
    """One leg of a talk whose media `passage` carries, and that is still to be told so."""

    def __init__(self, call: Call, passage: Passage, leg: Leg, switch: Switch, now: float) -> None:
        self.due: float | None = None
        self._call = call
        self._passage = passage
        self._leg = leg
        self._switch = switch
        self._tries = 0
        self._told = False
        switch.arm(self, now + SOON)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be told: it was told, or tried often enough."""
        return self._told or self._tries >= TRIES

    def stop(self) -> None:
        """Leave the talk as it is."""
        self._tries = TRIES
        self._switch.arm(self, None)

    def tick(self, now: float) -> None:
        """Tell it."""
        if self._still() and not self._ask("INVITE", now):
            self._try_again(now)

    def _ask(self, method: str, now: float) -> bool:
        """Ask it; False where that cannot be now."""
        told = self._passage.told(self._leg)
        body = self._passage.again(self._leg, told) if told is not None else None
        return body is None or self._leg.request(method, body, self, now)

    def _takes_update(self, event: Replied) -> bool:
        """Whether a side that has refused a re-INVITE may take an UPDATE."""
        refused = event.method == "INVITE" and event.status in REFUSALS
        return refused and self._leg.lookout.takes_update and self._still()

    def on_replied(self, event: Replied, now: float) -> None:
        """Take its answer."""
        if event.status == _GLARE:
            self._try_again(now)
            return
        if self._takes_update(event) and self._ask("UPDATE", now):
            return
        self._told = True
        why = f"{event.status} {event.phrase}"
        if 200 <= event.status < 300:
            if event.method == "INVITE":
                event.leg.acknowledge(None, now)
            why = ""
            try:
                if self._still():
                    self._passage.agreed_again(event.leg, event.body)
                    self._switch.keep(self._call)
            except SipError as error:
                why = str(error)
        if why:
            self._call.note(now, None, f"{self._call.seats.name_of(event.leg)} does not send to the bridge", why)

    def _try_again(self, now: float) -> None:
        self._tries += 1
        if self._tries < TRIES:
            self._switch.arm(self, now + AGAIN)

    def _still(self) -> bool:
        talk = self._call.talk
        return (
            self._tries < TRIES
            and talk is not None
            and self._call.result is None
            and self._call.passage is self._passage
            and self._leg in (talk.caller, talk.member)
        )
