"""A serial device that comes and goes: opened when it is there, noticed at once when it is pulled, looked for again.

It is opened exclusively. What it may send is bounded to more than any honest one does: one that spams is read at that
pace and no faster, and one that does not read what it is sent is let go.
"""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import serial

LOOK_AGAIN = 2.0  # seconds
CHUNK = 4096  # bytes read at a time
PACE = 20_000  # bytes a second that are read at most; 115200 baud are 11,520
UNSENT_AT_MOST = 8192  # bytes

ABSENT = "it is not plugged in"


class SerialDevice:
    """The device at `path`, best one under /dev/serial/by-id. `look_again`: seconds between looks for a missing one.

    `opened` is told of a line that is new, `received` of bytes, `lost` why there is no line, once for each reason.
    """

    def __init__(
        self,
        path: str,
        speed: int,
        look_again: float,
        *,
        opened: Callable[[], None],
        received: Callable[[bytes], None],
        lost: Callable[[str], None],
    ) -> None:
        self._path = path
        self._speed = speed
        self._look_again = look_again
        self._opened = opened
        self._received = received
        self._lost = lost
        self._port: serial.Serial | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._unsent = b""
        self._said = ""

    @property
    def is_open(self) -> bool:
        """Whether there is a line."""
        return self._port is not None

    def start(self) -> None:
        """Look for it, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._look()

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        for timer in (self._looking, self._waiting):
            if timer is not None:
                timer.cancel()
        if self._port is not None:
            self._release()

    def _look(self) -> None:
        self._looking = None
        try:
            self._port = serial.Serial(self._path, self._speed, timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            self._absent(_why(self._path, error))
            return
        self._said = ""
        self._unsent = b""
        os.set_blocking(self._port.fileno(), False)
        self._loop.add_reader(self._port.fileno(), self._read)
        self._opened()

    def _absent(self, reason: str) -> None:
        """Look again later, and say why there is none, once."""
        if reason != self._said:
            self._said = reason
            self._lost(reason)
        self._looking = self._loop.call_later(self._look_again, self._look)

    def _pulled(self, reason: str) -> None:
        self._release()
        self._absent(reason)

    def _release(self) -> None:
        assert self._port is not None
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._loop.remove_reader(self._port.fileno())
        self._loop.remove_writer(self._port.fileno())
        port, self._port = self._port, None
        with suppress(OSError, termios.error):  # pulled
            if self._unsent:
                port.reset_output_buffer()  # else the kernel waits for a device that does not read
            port.close()

    # -- bytes ----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), CHUNK)
        except BlockingIOError:
            return
        except OSError:  # pulled: EIO from a terminal, ENXIO or ENODEV from USB
            data = b""
        if not data:
            self._pulled(ABSENT)
            return
        if len(data) > CHUNK // 8:
            self._rest(len(data) / PACE)
        self._received(data)

    def _rest(self, seconds: float) -> None:
        """Read no more for a while: the line holds what comes meanwhile."""
        assert self._port is not None
        self._loop.remove_reader(self._port.fileno())
        self._waiting = self._loop.call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        self._waiting = None
        if self._port is not None:
            self._loop.add_reader(self._port.fileno(), self._read)

    def send(self, data: bytes) -> None:
        """Send bytes; what cannot be sent is lost."""
        if self._port is None:
            return
        if self._unsent:
            self._unsent += data
            if len(self._unsent) > UNSENT_AT_MOST:
                self._pulled("it does not read what it is sent")
            return
        self._unsent = data
        self._write()

    def _write(self) -> None:
        assert self._port is not None
        fileno = self._port.fileno()
        try:
            written = os.write(fileno, self._unsent)
        except BlockingIOError:
            written = 0
        except OSError:
            self._unsent = b""  # the reader notices as well, and tells
            self._loop.remove_writer(fileno)
            return
        self._unsent = self._unsent[written:]
        if self._unsent:
            self._loop.add_writer(fileno, self._write)
        else:
            self._loop.remove_writer(fileno)


def _why(path: str, error: Exception) -> str:
    """Return why a device cannot be used, and what would be right."""
    number = getattr(error, "errno", None) or next(iter(getattr(error.__context__, "args", ())), None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or not Path(path).exists():
        return ABSENT
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program has it open; end that"
    if number == errno.EACCES:
        return "this login may not use it; add the login to the group dialout"
    if number == errno.ENOTTY:
        return "it is no serial device; name one of /dev/serial/by-id"
    return f"it cannot be opened ({error})"
