"""Our own end of a stream, in sound: what is played leaves through the relay's socket, keys that come in are told.

Nothing is coded while it plays: tracks are G.711 already, and a packet is a header before 160 bytes of one.

When the relay takes over, the music stops at once, but its stream does not break off: silence follows until the other
side's first packet is there (or a second is over), so that no phone has to wonder. That packet is marked, since what
follows is another stream with another SSRC (RFC 3550 §5.1); ours says goodbye.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.media.dtmf import KEYS, KeyReader, presses
from bridge.media.g711 import ALAW, FRAME, FRAME_SECONDS, RATE, Law
from bridge.media.metronome import Metronome
from bridge.media.model import Key, Played, Sound, Terms, VoiceEvent
from bridge.media.rtcp import EVERY, goodbye, report
from bridge.media.rtp import RtpError, Stream, parse_packet
from bridge.media.sounds import Sounds, Track

if TYPE_CHECKING:
    from bridge.media.relay import Pair
    from bridge.media.voice import Voice

_FILL = 50  # frames of silence until the other side's first packet
_REPORTS = round(EVERY / FRAME_SECONDS)
_FIRST_REPORT = 25
_GAP = 5  # frames between two keys
_MOST_KEYS = 64  # that wait to be pressed
_SOONEST_KEY = 0.04  # seconds between two keys of a peer; nobody presses faster (Q.24 asks for 80 ms)
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Stage:
    """What all speakers share. `tell` takes what happens at their voices."""

    sounds: Sounds
    tell: Callable[[VoiceEvent], None]
    metronome: Metronome


class PairSpeaker:
    """Speaks from one pair of the relay's ports."""

    def __init__(self, voice: Voice, pair: Pair, stage: Stage) -> None:
        self._voice = voice
        self.pair = pair
        self._stage = stage
        self._stream = Stream(_random.getrandbits(32), _random.getrandbits(16), _random.getrandbits(32))
        self._name = f"{_random.getrandbits(64):016x}".encode()
        self._keys = KeyReader()
        self._key_at = 0.0
        self._terms: Terms | None = None
        self._playlist = _Playlist((), False)
        self._looped: _Playlist | None = None  # goes on where it was when it is asked for again
        self._events: deque[tuple[bytes, bool] | None] = deque()  # payload, and whether it begins a key; None: a gap
        self._event_time = 0
        self._fill = 0
        self._sending = False
        self._left_at = 0.0
        self._sent = 0
        self._octets = 0
        self._next_report = _FIRST_REPORT
        self._said_goodbye = False
        self._closed = False
        pair.rtp.lend(self._hear)

    # -- what a voice asks (Speaker) -------------------------------------------------------------------------------

    def settle(self, terms: Terms) -> None:
        """Take how to speak; where to is the relay's `settle`."""
        self._terms = terms
        self._look()

    def play(self, sounds: Sequence[Sound], *, loop: bool) -> None:
        """Play these, one after the other, instead of what is played now; `loop`: for ever, without `Played`."""
        tracks = self._stage.sounds.tracks(sounds)
        before = self._looped
        if loop and before is not None and before.tracks == tracks:
            self._playlist = before
        else:
            self._playlist = _Playlist(tracks, loop)
        if loop:
            self._looped = self._playlist
        self._look()

    def stop(self) -> None:
        """Be silent: send nothing."""
        self._playlist = _Playlist((), False)
        self._look()

    def press(self, keys: str) -> None:
        """Send keys as telephone events, one after the other, while what is played waits."""
        for key in keys.upper():
            if key in KEYS and len(self._events) < _MOST_KEYS * (_GAP + 8):
                self._events.extend((payload, first == 0) for first, payload in enumerate(presses(key)))
                self._events.extend([None] * _GAP)
        self._look()

    def close(self) -> None:
        """Play nothing more: from now on the ports relay, unless they are closed already, and this with them."""
        if self._closed:
            return
        self._closed = True
        self._events.clear()
        self._playlist = _Playlist((), False)
        self._fill = _FILL if self._sending else 0
        self.pair.rtp.take_back()
        if self.pair.rtp.other is not None:
            self.pair.rtp.other.mark_first(self._over)
        if self._fill:
            self._look()
        else:
            self._over()

    def end(self) -> None:
        """Stop with the call, before its ports are closed."""
        self._closed = True
        self._events.clear()
        self._playlist = _Playlist((), False)
        self._over()

    def _over(self) -> None:
        """Leave the stream to the other side, whose first packet is here; or to nobody."""
        self._fill = 0
        self._look()
        if self._sent and not self._said_goodbye:
            self._said_goodbye = True
            self.pair.rtcp.say(goodbye(self._stream.ssrc, self._name))

    # -- the beat --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Join the beat where there is something to send, else leave it."""
        wanted = self._terms is not None and self._terms.sends
        wanted = wanted and bool(self._events or self._playlist.tracks or self._fill)
        if wanted and not self._sending:
            if self._left_at:
                quiet = asyncio.get_running_loop().time() - self._left_at
                self._stream.pause(round(quiet * RATE))
            self._stage.metronome.join(self)
        elif self._sending and not wanted:
            self._stage.metronome.leave(self)
            self._left_at = asyncio.get_running_loop().time()
        self._sending = wanted

    def beat(self) -> None:
        """Send the next packet."""
        terms = self._terms
        assert terms is not None
        if self._events:
            self._press_on(terms)
        elif self._playlist.tracks:
            frame = self._playlist.frame(terms.law)
            if frame is None:
                self._playlist = _Playlist((), False)
                self._look()
                asyncio.get_running_loop().call_soon(self._tell, Played(self._voice))
                return
            self.pair.rtp.say(self._stream.packet(terms.payload, frame, FRAME))
            self._sent += 1
            self._octets += FRAME
        else:
            self.pair.rtp.say(self._stream.packet(terms.payload, bytes([terms.law.silence]) * FRAME, FRAME))
            self._fill -= 1
            if not self._fill:
                self._over()
        if self._sent >= self._next_report:
            self._report()

    def miss(self, frames: int) -> None:
        """Leave out what should have been sent while the program was held up."""
        self._stream.pause(frames * FRAME)

    def _press_on(self, terms: Terms) -> None:
        event = self._events.popleft()
        if event is not None and terms.events is not None:
            payload, begins = event
            if begins:
                self._event_time = self._stream.timestamp
            self.pair.rtp.say(self._stream.event(terms.events, payload, self._event_time, marker=begins))
            self._sent += 1
            self._octets += len(payload)
        self._stream.pause(FRAME)
        if not self._events:
            self._look()

    def _tell(self, event: VoiceEvent) -> None:
        if not self._closed and (isinstance(event, Key) or not self._playlist.tracks):
            self._stage.tell(event)

    # -- RTCP ------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        self._next_report = self._sent + round(_REPORTS * _random.uniform(0.5, 1.5))  # apart from others' (§6.2)
        stream = self._stream
        data = report(stream.ssrc, self._name, time.time(), stream.timestamp, self._sent, self._octets)
        self.pair.rtcp.say(data)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _hear(self, data: memoryview) -> None:
        """Take a packet of the peer's: only keys are looked at."""
        terms = self._terms
        if terms is None or len(data) < 2 or data[1] & 0x7F not in terms.hears:
            return
        try:
            key = self._keys.take(parse_packet(bytes(data)))
        except RtpError:
            return
        now = asyncio.get_running_loop().time()
        if key is not None and now >= self._key_at + _SOONEST_KEY:
            self._key_at = now
            self._stage.tell(Key(self._voice, key))


class _Playlist:
    """Tracks in a row, and how far they have been played."""

    def __init__(self, tracks: tuple[Track, ...], loop: bool) -> None:
        self.tracks = tracks
        self._loop = loop
        self._number = 0
        self._at = 0

    def frame(self, law: Law) -> bytes | None:
        """Return the next 20 ms; None where all is over."""
        while self._number < len(self.tracks):
            track = self.tracks[self._number]
            data = track.alaw if law is ALAW else track.ulaw
            at = self._at
            if at < len(data):
                self._at = at + FRAME
                return data[at : at + FRAME]
            self._at = 0
            self._number += 1
            if self._loop:
                self._number %= len(self.tracks)
        return None
