"""A panel at a real pseudo terminal: the firmware's logic in a thread, fingers at its keys, eyes at its lamps."""

from __future__ import annotations

import os
import pty
import secrets
import select
import threading
import time
import tty
from contextlib import suppress
from pathlib import Path

from hardware.firmware.device import Device


class PtyPanel:
    """A panel that is plugged in at `path` while it is open. `bytewise`: each byte goes out alone."""

    def __init__(self, path: Path, keys: int = 8, lamps: int = 8, *, bytewise: bool = False) -> None:
        self.path = path
        self._counts = keys, lamps
        self._bytewise = bytewise
        self._pressed = 0
        self._lit = 0
        self._raw: list[bytes] = []
        self._thread: threading.Thread | None = None
        self.frozen = False  # it is there and does nothing: neither reads nor writes
        self.heard = b""

    def __enter__(self) -> PtyPanel:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def plug(self) -> None:
        """Plug it in: it starts anew."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._woken, self._waker = os.pipe()
        self._ending = False
        self._lit = 0
        self._device = Device("pty", *self._counts, secrets.token_hex(4))
        self._thread = threading.Thread(target=self._run, name="panel")
        self._thread.start()
        self._slave = slave  # kept open: a line is not gone when the bridge is
        temporary = self.path.with_suffix(".new")
        temporary.symlink_to(os.ttyname(slave))
        temporary.replace(self.path)

    def pull(self) -> None:
        """Pull it out, perhaps in mid-line; a second time does nothing."""
        if self._thread is None:
            return
        self._ending = True
        self._wake()
        self._thread.join()
        self._thread = None
        self.path.unlink(missing_ok=True)
        for each in (self._slave, self._master, self._woken, self._waker):
            os.close(each)

    def move(self, key: int, pressed: bool) -> None:
        """Press or release a key."""
        bit = 1 << key - 1
        self._pressed = self._pressed | bit if pressed else self._pressed & ~bit
        self._wake()

    def lit(self, lamp: int) -> bool:
        """Return whether a lamp is lit now."""
        return bool(self._lit >> lamp - 1 & 1)

    def shows(self, lamp: int) -> str:
        """Return the signal that a lamp shows."""
        return self._device.end.signals[lamp - 1]

    def say(self, raw: bytes) -> None:
        """Send bytes as they are, between what the firmware says."""
        self._raw.append(raw)
        self._wake()

    def freeze(self, frozen: bool) -> None:
        """Let the firmware hang, or go on."""
        self.frozen = frozen
        self._wake()

    def _wake(self) -> None:
        os.write(self._waker, b"!")

    def _run(self) -> None:
        due: float = 0.0
        while not self._ending:
            sources = [self._woken] if self.frozen else [self._woken, self._master]
            ready, _, _ = select.select(sources, [], [], 1.0 if self.frozen else min(max(due - time.monotonic(), 0), 1))
            received = b""
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._master in ready:
                received = os.read(self._master, 4096)
                self.heard += received
            if self.frozen or self._ending:
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
            while piece and not self._ending:
                _, writable, _ = select.select([], [self._master], [], 0.1)
                if writable:
                    with suppress(BlockingIOError):
                        piece = piece[os.write(self._master, piece) :]
