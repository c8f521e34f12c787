"""The sound of one talk: a tone sent as RTP every 20 ms, and what is heard of the other side.

Packets are due at the begin of sending plus 20 ms times their number, so that a late timer delays one packet and
not all that follow. When the program was held up for long, what was missed is left out, as a microphone's would be.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bridge.media.dtmf import KeyReader
from bridge.media.ear import Ear, Heard
from bridge.media.g711 import FRAME, FRAME_SECONDS, LAWS, RATE
from bridge.media.rtp import RtpError, Stream, parse_packet
from bridge.media.tone import frames, silence
from bridge.phone.model import Sound
from bridge.sip.agenda import Agenda
from bridge.sip.offers import Agreed

_MADE_UP = 5  # frames that are sent late rather than left out


class Voice:
    """Mouth and ear. `outgoing` gets the packets; `pressed` is told the other side's keys."""

    def __init__(
        self, agenda: Agenda, rng: random.Random, outgoing: list[Sound], pressed: Callable[[str], None]
    ) -> None:
        self.due: float | None = None
        self.sent = 0
        """Packets, so far."""
        self._agenda = agenda
        self._outgoing = outgoing
        self._pressed = pressed
        self._stream = Stream(rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(32))
        self._keys = KeyReader()
        self._ear = Ear()
        self._agreed: Agreed | None = None
        self._says: tuple[int, float] = (0, 0.0)
        self._frames: tuple[bytes, ...] = ()
        self._began = 0.0
        self._turn = 0  # frames since it began to send

    def say(self, tone: int, level: float) -> None:
        """Send this tone from now on; 0 is silence."""
        self._says = (tone, level)
        self._make_frames()

    def settle(self, agreed: Agreed, now: float) -> None:
        """Take what both sides have agreed upon: where to send, as what, and whether."""
        self._agreed = agreed
        self._make_frames()
        if not agreed.sends:
            self._agenda.arm(self, None)
        elif self.due is None:
            quiet = now - self._ends_at() if self._turn else 0.0
            self._stream.pause(round(quiet * RATE))
            self._began, self._turn = now, 0
            self._agenda.arm(self, now)

    def stop(self) -> None:
        """Send and hear nothing more."""
        self._agreed = None
        self._agenda.arm(self, None)

    def tick(self, now: float) -> None:
        """Send what is due."""
        agreed = self._agreed
        if agreed is None:
            return
        missed = int((now - self._began) / FRAME_SECONDS) - self._turn
        if missed > _MADE_UP:
            self._stream.pause(missed * FRAME)
            self._turn += missed
        while self._ends_at() <= now:
            frame = self._frames[self._turn % len(self._frames)]
            data = self._stream.packet(agreed.codec.payload, frame, FRAME)
            self._outgoing.append(Sound(agreed.host, agreed.port, data))
            self._turn += 1
            self.sent += 1
        self._agenda.arm(self, self._ends_at())

    def hear(self, data: bytes) -> None:
        """Take what came at the RTP port; what is no RTP, or of no type that was agreed upon, is nothing."""
        try:
            packet = parse_packet(data)
        except RtpError:
            return
        codec = self._agreed.incoming.get(packet.payload_type) if self._agreed else None
        if codec is None:
            return
        law = LAWS.get(codec.name.upper())
        if law is not None:
            self._ear.take(packet, law)
        elif self._ear.note(packet):
            key = self._keys.take(packet)
            if key is not None:
                self._pressed(key)

    def heard(self) -> Heard:
        """Return what has come so far, and what the last 50 ms of it were."""
        return self._ear.heard()

    def _ends_at(self) -> float:
        """Return when the frame that was sent last is over."""
        return self._began + self._turn * FRAME_SECONDS

    def _make_frames(self) -> None:
        if self._agreed is not None:
            law = LAWS[self._agreed.codec.name.upper()]
            tone, level = self._says
            self._frames = frames(law, tone, level) if tone else silence(law)
