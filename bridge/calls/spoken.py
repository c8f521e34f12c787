"""A leg that the bridge itself speaks to: a caller who waits, a menu, a phone that is asked to press 1.

`Spoken` owns the leg as long as this lasts: it answers (or takes the answer), answers the peer's re-INVITE and UPDATE,
so that it may hold and resume us, and hears its keys, by RFC 4733 and by INFO alike. Whoever is behind it, a
`SpokenOwner`, takes the leg back by making it somebody else's (`leg.owner = ...`); the voice is then closed by the
relay's taking over, or by `close`.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from bridge.calls.ordered.errand import Errand
from bridge.calls.passage import Passage
from bridge.media.dtmf import KEYS
from bridge.media.model import Key, Played, VoiceEvent
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Acknowledged, Ended, LegEvent, Replied, Requested
from bridge.sip.message import Body, Request

_BY_NUMBER = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
_PRESS = object()  # the context of our own INFO


class SpokenOwner(Protocol):
    """Whoever speaks to a leg."""

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Take a key that the peer has pressed."""

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Take note that what was to be played is over."""

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:
        """Take note that the peer has put us on hold, or resumes."""

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Take note that the peer is gone."""

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Answer a REFER or MESSAGE, by `event.leg.respond`."""


class Spoken:
    """One leg and our voice to it. Made by `answer` or `answered`."""

    def __init__(self, leg: Leg, passage: Passage, owner: SpokenOwner) -> None:
        self.leg = leg
        self.passage = passage
        self.owner = owner
        self.voice = passage.voice(leg)
        self.held = False
        self._answer_is_due = False  # with the ACK, to an offer that our 2xx brought
        self._keys_by: type | None = None  # how keys come: by whichever way is first, since some phones use both
        self._to_press: deque[str] = deque()  # by INFO, one after the other

    @classmethod
    def answer(cls, leg: IncomingLeg, passage: Passage, owner: SpokenOwner, now: float) -> Spoken:
        """Answer a caller's INVITE.

        Raises `SipError`, 503 without ports or 488 without a common codec, before anything is answered.
        """
        spoken = cls(leg, passage, owner)
        if leg.offer is None:
            body = spoken.voice.offer()
            spoken._answer_is_due = True
        else:
            body = spoken.voice.answer(leg.offer)
        leg.accept(body, now)
        spoken._take()
        return spoken

    @classmethod
    def answered(cls, leg: Leg, passage: Passage, owner: SpokenOwner, body: Body | None, now: float) -> Spoken:
        """Take the 2xx of a phone that was offered our voice (`Passages.toward`, `Passage.way_apart`); acknowledge it.

        Raises `SipError` where the answer is none; the leg is to be hung up then.
        """
        leg.acknowledge(None, now)
        return cls.arrived(leg, passage, owner, body)

    @classmethod
    def arrived(cls, leg: Leg, passage: Passage, owner: SpokenOwner, body: Body | None) -> Spoken:
        """Take the acknowledged answer of a phone that was offered our voice: it was rung, or is transferred here.

        Raises `SipError` where the answer is none; the leg is to be hung up then.
        """
        spoken = cls(leg, passage, owner)
        if body is None:
            raise SipError("an answer without a description", 488)
        spoken.voice.settle(body)
        spoken._take()
        return spoken

    def _take(self) -> None:
        self.leg.owner = self
        self.voice.owner = self
        self.held = self.voice.held

    def press(self, keys: str, now: float) -> None:
        """Press keys: by RFC 4733 where the peer takes telephone events, else by INFO."""
        if not self.voice.press(keys):
            waiting = bool(self._to_press)
            self._to_press.extend(key for key in keys.upper() if key in KEYS)
            if not waiting:
                self._press_next(now)

    def close(self) -> None:
        """Speak no more; the leg stays whose it is."""
        self.voice.close()

    def hang_up(self, now: float) -> None:
        """Speak no more, end the leg and give the ports back; the owner hears no more of it."""
        self.voice.close()
        self.voice.owner = None
        self.leg.owner = None
        self.leg.hang_up(None, now)
        self.passage.close()

    def agree_again(self, answer: Body, now: float) -> None:
        """Take the peer's answer to another offer of our voice. Raises `SipError` 488, and all is as it was."""
        self.voice.settle(answer)
        self._look_whether_held(now)

    # -- what the voice says ---------------------------------------------------------------------------------------

    def voiced(self, event: VoiceEvent, now: float) -> None:
        """Take what happened at the voice."""
        match event:
            case Key(_, key):
                self._on_key(key, Key, now)
            case Played():
                self.owner.on_played(self, now)

    def _on_key(self, key: str, way: type, now: float) -> None:
        self._keys_by = self._keys_by or way
        if way is self._keys_by:
            self.owner.on_key(self, key, now)

    # -- what the leg says -----------------------------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of the leg."""
        match event:
            case Requested():
                self._on_requested(event, now)
            case Acknowledged(_, body):
                self._on_acknowledged(body, now)
            case Replied() if event.context is _PRESS:
                self._press_next(now)
            case Replied() if isinstance(event.context, Errand):
                event.context.on_replied(event, now)
            case Ended():
                self.voice.close()
                self.owner.on_ended(self, event, now)

    def _on_requested(self, event: Requested, now: float) -> None:
        request = event.request
        match request.method:
            case "INVITE" | "UPDATE":
                self._on_offer(event, now)
            case "INFO":
                event.leg.respond(event.transaction, request, 200, None, now)
                key = key_in(request)
                if key is not None:
                    self._on_key(key, Request, now)
            case _:
                self.owner.on_asked(self, event, now)

    def _on_offer(self, event: Requested, now: float) -> None:
        request = event.request
        body: Body | None = None
        try:
            if request.description is not None:
                body = self.voice.answer(request.description)
            elif request.method == "INVITE":
                body = self.voice.offer()
                self._answer_is_due = True
        except SipError as error:
            event.leg.respond(event.transaction, request, error.status, None, now)
            return
        event.leg.respond(event.transaction, request, 200, body, now)
        self._look_whether_held(now)

    def _on_acknowledged(self, body: Body | None, now: float) -> None:
        if not self._answer_is_due:
            return
        self._answer_is_due = False
        try:
            if body is None:
                raise SipError("an ACK without the answer", 488)
            self.voice.settle(body)
        except SipError as error:
            if self.voice.agreed is None:  # else all stays as it was
                self.leg.hang_up(None, now)
                self.voice.close()
                self.owner.on_ended(self, Ended(self.leg, f"cannot be spoken to: {error}"), now)
            return
        self._look_whether_held(now)

    def _look_whether_held(self, now: float) -> None:
        if self.held is not self.voice.held:
            self.held = self.voice.held
            self.owner.on_held(self, self.held, now)

    def _press_next(self, now: float) -> None:
        while self._to_press:
            key = self._to_press.popleft()
            body = Body("application/dtmf-relay", f"Signal={key}\r\nDuration=160\r\n".encode())
            if self.leg.request("INFO", body, _PRESS, now):
                return


def key_in(request: Request) -> str | None:
    """Return the key that an INFO tells: `application/dtmf-relay` with its Signal, or `application/dtmf` alone."""
    content = request.content
    kind = content.type.partition(";")[0].strip().lower() if content is not None else ""
    if content is None or kind not in ("application/dtmf-relay", "application/dtmf"):
        return None
    text = content.data[:200].decode("ascii", "replace")
    if kind == "application/dtmf-relay":
        values = (line.partition("=") for line in text.splitlines())
        text = next((value for name, _, value in values if name.strip().lower() == "signal"), "")
    key = text.strip().upper()
    key = _BY_NUMBER.get(key, key)
    return key if len(key) == 1 and key in KEYS else None
