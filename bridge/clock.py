"""Whether the machine's wall clock is right, and when somebody sets it. Linux.

A Raspberry Pi has no clock battery: after a power cut its clock goes on where it stopped, until the network tells the
time. Three things say that a clock is right, and one is enough:

- the kernel: adjtimex(2) does not report TIME_ERROR, so a time service (timesyncd, chrony, ntpd) disciplines it;
- systemd-timesyncd, which leaves `/run/systemd/timesync/synchronized` once it has set the clock since the boot;
- a clock that ran while the machine was off: a real-time clock that agrees with the wall's, or that of a PC.

The kernel takes its word back nine hours after the last contact with a time server, though no crystal goes wrong by
more than seconds a day; so what was right once stays right for as long as the process lives. A clock that is set
is told of by the kernel (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); only while it is not right is it looked at again
and again, for a small correction is none that the kernel tells of.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOOK = 5.0  # seconds between two looks at a clock that is not right
AGREE = 5.0  # seconds that a real-time clock may be off

_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_REAL_TIME_CLOCKS = Path("/sys/class/rtc")
_PCS = frozenset({"x86_64", "amd64", "i386", "i486", "i586", "i686"})

_TIME_ERROR = 5
_TIMEX_BYTES = 512  # struct timex is smaller everywhere
_CLOCK_REALTIME = 0
_TFD_CREATE = os.O_NONBLOCK | os.O_CLOEXEC
_TFD_SETTIME = 1 | 2  # TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
_FAR = (1 << 31) - 1 if ctypes.sizeof(ctypes.c_long) == 4 else 1 << 40  # seconds since the epoch


def is_right() -> bool:
    """Whether the wall's clock can be believed."""
    return kernel_says_so() or _TIMESYNCD.exists() or ran_while_off(_REAL_TIME_CLOCKS, time.time(), platform.machine())


def kernel_says_so() -> bool:
    """Whether a time service disciplines the clock; False where the kernel cannot be asked."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None:
        return False
    nothing_to_change = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = int(ask(nothing_to_change))
    return 0 <= state != _TIME_ERROR


def ran_while_off(clocks: Path, wall: float, machine: str) -> bool:
    """Whether the time comes from a clock with a battery. A time from before this file was written is none."""
    if wall < Path(__file__).stat().st_mtime:
        return False
    return machine.lower() in _PCS or any(_agrees(clock, wall) for clock in clocks.glob("rtc*"))


def _agrees(clock: Path, wall: float) -> bool:
    try:
        return abs(float((clock / "since_epoch").read_text()) - wall) <= AGREE
    except (OSError, ValueError):
        return False


class Clock:
    """Watches the clock on the running loop, between `start` and `close`.

    `changed` is called when the clock was set, and when it has become right.
    """

    def __init__(self, changed: Callable[[], None], look: Callable[[], bool] = is_right) -> None:
        self._changed = changed
        self._look = look
        self._right = look()
        self._fd: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def synchronised(self) -> bool:
        """Whether the clock is right, or was once."""
        return self._right

    def start(self) -> None:
        """Begin to watch."""
        loop = asyncio.get_running_loop()
        self._fd = _watch_settings()
        if self._fd is not None:
            loop.add_reader(self._fd, self._on_set)
        self._look_again()

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _look_again(self) -> None:
        if not self._right:
            self._timer = asyncio.get_running_loop().call_later(LOOK, self._on_time)

    def _on_time(self) -> None:
        self._right = self._look()
        if self._right:
            self._changed()
        self._look_again()

    def _on_set(self) -> None:
        assert self._fd is not None
        with suppress(OSError):  # ECANCELED: this is how it is told
            os.read(self._fd, 8)
        self._right = self._right or self._look()
        self._changed()


def _watch_settings() -> int | None:
    """Return a file descriptor that can be read when somebody sets the clock; None where there is no such thing."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "timerfd_create"):
        return None
    fd = int(libc.timerfd_create(_CLOCK_REALTIME, _TFD_CREATE))
    if fd < 0:
        return None
    never = (ctypes.c_long * 4)(0, 0, _FAR, 0)  # struct itimerspec: interval, value
    if libc.timerfd_settime(fd, _TFD_SETTIME, never, None) < 0:
        os.close(fd)
        return None
    return fd
