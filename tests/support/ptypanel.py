"""A panel at a real pseudo terminal: the firmware's logic in a thread, fingers at its keys, eyes at its lamps."""

from __future__ import annotations

import os
import secrets
import select
import time
from contextlib import suppress
from pathlib import Path

from hardware.firmware.device import Device
from tests.support.pluggable import Pluggable


class PtyPanel(Pluggable):
    """A panel that is plugged in at `path` while it is open. `bytewise`: each byte goes out alone."""

    def __init__(self, path: Path, keys: int = 8, lamps: int = 8, *, bytewise: bool = False) -> None:
        super().__init__(path)
        self._counts = keys, lamps
        self._bytewise = bytewise
        self._pressed = 0
        self._lit = 0
        self._raw: list[bytes] = []
        self.frozen = False  # it is there and does nothing: neither reads nor writes
        self.heard = b""

    def begin(self) -> None:
        """Start anew, all lamps dark."""
        os.set_blocking(self.master, False)
        self._lit = 0
        self._device = Device("pty", *self._counts, secrets.token_hex(4))

    def move(self, key: int, pressed: bool) -> None:
        """Press or release a key."""
        bit = 1 << key - 1
        self._pressed = self._pressed | bit if pressed else self._pressed & ~bit
        self.wake()

    def lit(self, lamp: int) -> bool:
        """Return whether a lamp is lit now."""
        return bool(self._lit >> lamp - 1 & 1)

    def shows(self, lamp: int) -> str:
        """Return the signal that a lamp shows."""
        return self._device.end.signals[lamp - 1]

    def say(self, raw: bytes) -> None:
        """Send bytes as they are, between what the firmware says."""
        self._raw.append(raw)
        self.wake()

    def freeze(self, frozen: bool) -> None:
        """Let the firmware hang, or go on."""
        self.frozen = frozen
        self.wake()

    def serve(self) -> None:
        """Do what the firmware does."""
        due: float = 0.0
        while not self.ending:
            sources = [self.woken] if self.frozen else [self.woken, self.master]
            ready, _, _ = select.select(sources, [], [], 1.0 if self.frozen else min(max(due - time.monotonic(), 0), 1))
            received = b""
            if self.woken in ready:
                os.read(self.woken, 4096)
            if self.master in ready:
                received = os.read(self.master, 4096)
                self.heard += received
            if self.frozen or self.ending:
                continue
            now = int(time.monotonic() * 1000)
            out = self._device.step(self._pressed, received, now)
            while self._raw:
                out += self._raw.pop(0)
            self._send(out)
            self._lit = self._device.lamps(now)
            due = (self._device.deadline(now) + 1) / 1000

    def _send(self, out: bytes) -> None:
        pieces = [out[at : at + 1] for at in range(len(out))] if self._bytewise else [out]
        for piece in filter(None, pieces):
            while piece and not self.ending:
                _, writable, _ = select.select([], [self.master], [], 0.1)
                if writable:
                    with suppress(BlockingIOError):
                        piece = piece[os.write(self.master, piece) :]
