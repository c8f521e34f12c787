"""pyVoIP's RTP with its faults mended by subclassing; its coding and decoding are left as they are (in 8 bits).

Mended are the pace (it drifts by -7,700 ppm), numbers that wrap, A-law that is sent as µ-law; added are a tone, keys,
and looking at what comes last instead of at all that ever came.
"""

from __future__ import annotations

import math
import socket
import threading
import time
import warnings
from array import array
from collections import deque
from typing import Any

import pyVoIP.VoIP  # noqa: F401  first: pyVoIP.RTP alone is an import cycle
from pyVoIP import RTP

from bridge.media.dtmf import presses
from bridge.media.ear import WINDOW, Heard, judge
from bridge.media.g711 import FRAME, FRAME_SECONDS
from bridge.media.tone import sine

_EVENTS = 101
_SILENCE = bytes([0x80]) * FRAME
_BETWEEN_KEYS = 4  # frames


class Last:
    """Takes pyVoIP's decoded sound and keeps the end of it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, offset: int, data: bytes) -> None:
        """Take samples, 8 bits without sign."""
        self.data = (self.data + data)[-WINDOW:]

    def samples(self) -> array[int]:
        """Return the last of them."""
        return array("h", [(each - 128) << 8 for each in self.data])


class Sound(RTP.RTPClient):
    """Mouth and ear of a call."""

    pmin: Any  # a buffer that only grows; here what `parse_packet` writes is taken by `Last`

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.packets = 0
        """How many have come."""
        self.pmin = self._last = Last()
        self._frames: tuple[bytes, ...] = (_SILENCE,)
        self._keys: deque[tuple[bytes, bool] | None] = deque()  # payload and marker; None: a frame of nothing

    def say(self, tone: int, level: float) -> None:
        """Send this tone from now on; 0 is silence."""
        count = 50 // math.gcd(tone, 50)
        samples = sine(tone, level, count * FRAME) if tone else array("h", [0] * FRAME)
        data = bytes([(each >> 8) + 128 for each in samples])
        self._frames = tuple(data[start : start + FRAME] for start in range(0, len(data), FRAME))

    def press(self, keys: str) -> None:
        """Press keys, one after the other. Raises ValueError for one that there is not."""
        for packets in [list(presses(key)) for key in keys]:
            self._keys.extend((payload, number == 0) for number, payload in enumerate(packets))
            self._keys.extend([None] * _BETWEEN_KEYS)

    def heard(self) -> Heard:
        """Return how much has come, and what the last 50 ms of it were."""
        loud, hertz = judge(self._last.samples())
        return Heard(self.packets, 0, loud, hertz)

    def start(self) -> None:
        """Open the port and begin."""
        self.sin = self.sout = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sin.bind((self.inIP, self.inPort))
        self.sin.setblocking(False)
        for work in (self.recv, self.trans):
            threading.Thread(target=work, name=f"RTP {work.__name__}", daemon=True).start()

    def parse_packet(self, packet: bytes) -> None:
        """Take a packet."""
        super().parse_packet(packet)
        self.packets += 1

    def encode_packet(self, payload: bytes) -> bytes:
        """Return 8 bit samples as what was agreed upon."""
        return self.encode_pcma(payload) if self.preference == RTP.PayloadType.PCMA else self.encode_pcmu(payload)

    def trans(self) -> None:
        """Send a packet every 20 ms, by absolute deadlines."""
        due, turn, begin = time.monotonic(), 0, self.outTimestamp
        while self.NSD:
            if self._keys:
                event = self._keys.popleft()
                begin = self.outTimestamp if event is None or event[1] else begin
                if event is not None:
                    self._send(_EVENTS, event[0], begin, marker=event[1])
            else:
                frame = self.encode_packet(self._frames[turn % len(self._frames)])
                self._send(int(self.preference), frame, self.outTimestamp, marker=turn == 0)
            turn += 1
            self.outTimestamp = (self.outTimestamp + FRAME) & 0xFFFFFFFF
            due += FRAME_SECONDS
            time.sleep(max(0.0, due - time.monotonic()))

    def _send(self, kind: int, payload: bytes, timestamp: int, *, marker: bool) -> None:
        header = bytes([0x80, kind | (0x80 if marker else 0)]) + self.outSequence.to_bytes(2, "big")
        header += timestamp.to_bytes(4, "big") + self.outSSRC.to_bytes(4, "big")
        self.outSequence = (self.outSequence + 1) & 0xFFFF
        try:
            self.sout.sendto(header + payload, (self.outIP, self.outPort))
        except OSError as error:  # the other side is gone, or the call is over
            if self.NSD:
                warnings.warn(f"RTP is not sent: {error}", RuntimeWarning, stacklevel=2)
