"""A simulated desk phone, sans-IO: registers, rings, answers or refuses, sends a tone, holds, hangs up.

It is an `Engine` for the endpoint as the exchange is one, made of the same legs; beside the messages in `outbox` it
has RTP packets in `sounds`, and what arrives at its RTP port goes to `hear`. What has happened is in `events`. One
call at a time; a second one is told that it is busy.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from bridge.media.ear import Heard
from bridge.phone.model import (
    Account,
    Manner,
    Over,
    PhoneEvent,
    Pressed,
    Registered,
    Rings,
    Sound,
    Unregistered,
)
from bridge.phone.registering import Registering
from bridge.phone.talk import Talk
from bridge.phone.voice import Voice
from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow, Locate, Send
from bridge.sip.grammar import SipError
from bridge.sip.legevents import Acknowledged, Ended, Replied, Requested
from bridge.sip.offers import Local, agreed
from bridge.sip.sdp import Direction
from bridge.sip.sdpread import session_in
from bridge.sip.useragent import AgentEvent, Invited, UserAgent
from bridge.sip.useragent import Registering as RegisterRequest


class Alarm:
    """Does something at a time."""

    def __init__(self, agenda: Agenda, does: Callable[[float], None]) -> None:
        self.due: float | None = None
        self._agenda = agenda
        self._does = does

    def set(self, at: float | None) -> None:
        """Set when, None: not at all."""
        self._agenda.arm(self, at)

    def tick(self, now: float) -> None:
        """Do it."""
        self._does(now)


class Phone:
    """The phone. `manner` may be changed at any time, for the calls to come."""

    def __init__(
        self,
        account: Account,
        rtp_port: int,
        *,
        locate: Locate,
        token: Callable[[], str],
        rng: random.Random,
        manner: Manner | None = None,
    ) -> None:
        self.account = account
        self.manner = manner or Manner()
        self.events: deque[PhoneEvent] = deque()
        self.sounds: list[Sound] = []
        self.agenda = Agenda()
        self.ua = UserAgent("cti-bridge phone", self.agenda, locate, token)
        self._rtp_port = rtp_port
        self._rng = rng
        self._talk: Talk | None = None
        self._registering: Registering | None = None
        self._leaving = False
        self._answers = Alarm(self.agenda, self.answer)
        self._ends = Alarm(self.agenda, self.hang_up)

    # -- the engine, for the endpoint ---------------------------------------------------------------------------

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent."""
        return self.ua.outbox

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message."""
        self.ua.receive(data, flow, now)
        self._settle(now)

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note that a flow cannot deliver."""
        self.ua.flow_failed(flow, now)
        self._settle(now)

    def tick(self, now: float) -> None:
        """Let happen what is due, sound included."""
        self.ua.tick(now)
        self._settle(now)

    def deadline(self) -> float | None:
        """Return when `tick` is due next."""
        return self.agenda.deadline()

    # -- what a person does with it -------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Register."""
        self._leaving = False
        self._registering = Registering(self.account, self.ua, self.agenda, self._rng, self._registration_is)
        self._registering.start(now)

    def stop(self, now: float) -> None:
        """Hang up, unregister and take no calls any more; it is over once the phone is `quiet`."""
        self._leaving = True
        self.hang_up(now)
        if self._registering is not None:
            self._registering.stop(now)

    @property
    def quiet(self) -> bool:
        """Whether nothing of it is left at its server, or on its way there."""
        return not self.ua.legs and (self._registering is None or self._registering.over)

    def answer(self, now: float) -> None:
        """Take the call that rings."""
        talk = self._talk
        if talk is None or not talk.ringing:
            return
        self._answers.set(None)
        try:
            talk.answer(now)
        except SipError as error:
            talk.leg.reject(error.status, now)
            self._over(str(error))

    def decline(self, now: float, status: int = 603) -> None:
        """Refuse the call that rings."""
        if self._talk is not None and self._talk.ringing:
            self._talk.leg.reject(status, now)
            self._over(f"declined with {status}")

    def hang_up(self, now: float) -> None:
        """End the call, whatever it is doing."""
        if self._talk is not None:
            self._talk.leg.hang_up(None, now)
            self._over("hung up here")

    def hold(self, now: float) -> bool:
        """Ask the other side to send nothing; False where that cannot be asked now."""
        return self._talk is not None and self._talk.ask("hold", Direction.SEND, now)

    def resume(self, now: float) -> bool:
        """Ask the other side to send again; False where that cannot be asked now."""
        return self._talk is not None and self._talk.ask("resume", Direction.BOTH, now)

    def say(self, tone: int, level: float = -16.0) -> None:
        """Send another tone, in the talk that is up; 0 is silence."""
        if self._talk is not None:
            self._talk.voice.say(tone, level)

    def hear(self, data: bytes) -> None:
        """Take what came at the RTP port."""
        if self._talk is not None:
            self._talk.voice.hear(data)

    def heard(self) -> Heard | None:
        """Return what is heard in the talk that is up, None where there is none."""
        return self._talk.voice.heard() if self._talk is not None else None

    # -- what happens -----------------------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        events = self.ua.events
        while events:
            self._handle(events.popleft(), now)

    def _handle(self, event: AgentEvent, now: float) -> None:
        match event:
            case Invited():
                self._on_invited(event, now)
            case RegisterRequest(request, transaction):
                self.ua.answer(transaction, request, 405, now, {"Allow": [self.ua.allow]})
            case Acknowledged(leg) | Requested(leg) | Replied(leg) | Ended(leg):
                if self._talk is not None and leg is self._talk.leg:
                    self._in_talk(self._talk, event, now)

    def _in_talk(self, talk: Talk, event: Acknowledged | Requested | Replied | Ended, now: float) -> None:
        try:
            match event:
                case Acknowledged():
                    self._on_acknowledged(talk, event, now)
                case Requested():
                    talk.requested(event, now)
                case Replied():
                    talk.replied(event, now)
                case Ended():
                    self._over(event.why, event.reason)
        except SipError as error:
            talk.leg.hang_up(None, now)
            self._over(str(error))

    def _on_acknowledged(self, talk: Talk, event: Acknowledged, now: float) -> None:
        was_up = talk.up
        talk.acknowledged(event.body, now)
        if not was_up and self.manner.hang_up_after is not None:
            self._ends.set(now + self.manner.hang_up_after)

    def _on_invited(self, event: Invited, now: float) -> None:
        leg = self.ua.take(event, self.account.number, True, now)
        manner = self.manner
        if self._talk is not None or self._leaving:
            leg.reject(480 if self._leaving else 486, now)
            return
        if manner.refuse_with is not None:
            leg.reject(manner.refuse_with, now)
            return
        local = Local(self.ua.locate(event.flow).host, self._rtp_port, str(self._rng.getrandbits(31)))
        try:
            offer = session_in(event.request.content)
            if offer is not None:
                agreed(local.answer(offer), offer)
        except SipError as error:
            leg.reject(error.status, now)
            return
        voice = Voice(self.agenda, self._rng, self.sounds, lambda key: self.events.append(Pressed(key)))
        voice.say(manner.tone, manner.level)
        self._talk = Talk(leg, local, offer, voice, self.events.append)
        caller = event.request.from_
        self.events.append(Rings(caller.uri.user or "", caller.name or ""))
        if manner.rings:
            leg.ring(now)
        if manner.answer_after is not None:
            self._answers.set(now + manner.answer_after)

    def _over(self, why: str, reason: str | None = None) -> None:
        assert self._talk is not None
        self._talk.voice.stop()
        self._talk = None
        self._answers.set(None)
        self._ends.set(None)
        self.events.append(Over(why, reason))

    def _registration_is(self, state: str, reason: str) -> None:
        self.events.append(Registered() if state == "registered" else Unregistered(reason))
