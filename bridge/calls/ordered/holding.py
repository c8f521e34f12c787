"""Hold and resume by command.

A talk that passes through our relay is held there: the other side hears music instead, and nobody is told anything, so
that it works through any PBX. Of a talk from phone to phone both are re-INVITEd by us, neither has asked for it
(RFC 3725); each is asked for an offer, so that its own numbers and versions go on; what it gets as the answer is ours:

| | the line's phone | the other side |
|---|---|---|
| hold | its offer is answered: nothing flows | its offer is answered: our music, or silence where there are no ports |
| resume | its offer goes to the other side | gets that offer; its answer goes into the phone's ACK |

A side that refuses every change (`standin`) is left alone: held, it hears nothing, for the line's phone is silent.

A phone of either side that sends a re-INVITE of its own meanwhile is carried across as ever, which ends the hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.ordered.errand import Interruptible
from bridge.calls.ordered.stillness import outward, still
from bridge.calls.passage import Passage
from bridge.media.prompts import MUSIC
from bridge.media.standin import REFUSALS
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call

Told = Callable[[str, float], None]
"""Told once how it ended: "" when it is done, else why it could not be."""


class Hold(Interruptible):
    """One side of a talk on hold. `near`: the leg of who holds; `passage`: our ports for music to the other side.

    `still_at` gives host and session of a description in which nothing flows.
    """

    def __init__(
        self, call: Call, near: Leg, passage: Passage, still_at: Callable[[Leg], tuple[str, str]], told: Told
    ) -> None:
        assert call.talk is not None
        self.near = near
        self.far = call.talk.other(near)
        self._call = call
        self._passage = passage
        self._still_at = still_at
        self._told = told
        self.relayed = False
        """Whether it is held in the relay, and neither phone knows of it."""

    def begin(self, now: float) -> None:
        """Hold in the relay, else ask the other side first: where it refuses, as PBXs do, nothing is to be undone."""
        voice = self._call.passage.interrupt(self.far)
        if voice is not None:
            voice.play((MUSIC,), loop=True)
            self.relayed = True
            self._call.errands.hold = self
            self._told("", now)
        elif not self.far.request("INVITE", None, self, now, patient=True):
            self._told("something else is just being changed in the call", now)
        else:
            self._call.errands.add(self)

    def call_over(self, now: float) -> None:
        """Say that it could not be done any more."""
        self._fail("it is over", now)

    def close(self) -> None:
        """End the music."""
        if self.relayed:
            self._call.passage.reconnect()
        self._passage.close()

    def on_replied(self, event: Replied, now: float) -> None:
        """Answer the other side's offer, then ask the line's phone, which is to send nothing any more."""
        success = 200 <= event.status < 300
        if event.leg is self.far:
            if success:
                self.far.acknowledge(self._music(event), now)
            elif event.status not in REFUSALS:
                self._fail(f"the other side said {event.status} {event.phrase}", now)
                return
            if not self.near.request("INVITE", None, self, now, patient=True):
                self._go_back("its phone is just changing something in the call", now)
        elif not success:
            self._go_back(f"its phone said {event.status} {event.phrase}", now)
        else:
            self._call.errands.discard(self)
            self.near.acknowledge(self._still(event), now)
            self._call.errands.hold = self
            self._told("", now)

    def _still(self, event: Replied) -> Body | None:
        try:
            return still(event.body, *self._still_at(event.leg))
        except SipError:  # an offer that nobody can read has no right answer; the phone may hang up
            return None

    def _music(self, event: Replied) -> Body | None:
        try:
            if event.body is None:
                return self._still(event)
            voice = self._passage.voice(self.far)
            body = voice.answer(event.body)
        except SipError:
            return self._still(event)
        voice.play((MUSIC,), loop=True)
        return outward(body)

    def _go_back(self, why: str, now: float) -> None:
        """Let both talk again, since the phone cannot hold."""
        self.close()
        self._call.errands.discard(self)
        Reconnect(self._call, self.near, self._still_at, lambda failed, at: self._told(why, at)).begin(now)

    def _fail(self, why: str, now: float) -> None:
        self._call.errands.discard(self)
        self.close()
        self._told(why, now)


class Reconnect(Interruptible):
    """Both sides of a talk talk to each other again: `near` makes the offer."""

    def __init__(self, call: Call, near: Leg, still_at: Callable[[Leg], tuple[str, str]], told: Told) -> None:
        assert call.talk is not None
        self._call = call
        self._near = near
        self._far = call.talk.other(near)
        self._still_at = still_at
        self._told = told
        self._offer: Body | None = None

    def begin(self, now: float) -> None:
        """Ask the line's phone for an offer."""
        if not self._near.request("INVITE", None, self, now, patient=True):
            self._told("something else is just being changed in the call", now)
        else:
            self._call.errands.add(self)

    def call_over(self, now: float) -> None:
        """Say that it could not be done any more."""
        self._told("it is over", now)

    def on_replied(self, event: Replied, now: float) -> None:
        """Carry the offer to the other side, and its answer back."""
        success = 200 <= event.status < 300
        if event.leg is self._near:
            if not success:
                self._end(f"its phone said {event.status} {event.phrase}", now)
                return
            self._offer = event.body
            self._carry(now)
        elif not success:
            self._on_refused(event, now)
        else:
            self._far.acknowledge(None, now)
            try:
                body = self._call.passage.answer(self._far, event.body)
            except SipError as error:
                self._give_up(str(error), now)
                return
            self._near.acknowledge(body, now)
            self._call.errands.end_hold()
            self._end("", now)

    def _on_refused(self, event: Replied, now: float) -> None:
        """Let the line's phone talk again to who changes nothing, and has gone on all the time."""
        body = self._call.passage.instead_of(self._far) if event.status in REFUSALS else None
        if body is None:
            self._call.passage.refused(self._far)
            self._give_up(f"the other side said {event.status} {event.phrase}", now)
        else:
            self._near.acknowledge(body, now)
            self._call.errands.end_hold()
            self._end("", now)

    def _carry(self, now: float) -> None:
        try:
            body = self._call.passage.offer(self._near, self._offer)
        except SipError as error:
            self._give_up(str(error), now)
            return
        if body is None or not self._far.request("INVITE", body, self, now, patient=True):
            self._give_up("the other side cannot be asked now", now)

    def _give_up(self, why: str, now: float) -> None:
        """Answer the phone's offer, which has to be answered: nothing flows, as before."""
        try:
            self._near.acknowledge(still(self._offer, *self._still_at(self._near)), now)
        except SipError:
            self._near.acknowledge(None, now)
        self._end(why, now)

    def _end(self, why: str, now: float) -> None:
        self._call.errands.discard(self)
        self._told(why, now)
