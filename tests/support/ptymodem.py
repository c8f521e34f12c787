"""A caller-id modem at a real pseudo terminal: answers AT commands in a thread, says what it is told to say."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from pathlib import Path


class PtyModem:
    """A modem that is plugged in at `path` while it is open; `knows`: the commands that it answers by OK."""

    def __init__(self, path: Path, knows: tuple[str, ...] = ("ATZ", "AT+VCID=1")) -> None:
        self.path = path
        self.heard: list[str] = []
        self._knows = knows
        self._thread: threading.Thread | None = None

    def __enter__(self) -> PtyModem:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def plug(self) -> None:
        """Plug it in."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self._slave = slave  # kept open: a line is not gone when the bridge is
        self._woken, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="modem")
        self._thread.start()
        temporary = self.path.with_suffix(".new")
        temporary.symlink_to(os.ttyname(slave))
        temporary.replace(self.path)

    def pull(self) -> None:
        """Pull it out; a second time does nothing."""
        if self._thread is None:
            return
        os.write(self._waker, b"!")
        self._thread.join()
        self._thread = None
        self.path.unlink()
        for each in (self._slave, self._master, self._woken, self._waker):
            os.close(each)

    def says(self, *lines: str) -> None:
        """Say lines, byte by byte."""
        for byte in "".join(f"\r\n{line}\r\n" for line in lines).encode():
            os.write(self._master, bytes([byte]))

    def _run(self) -> None:
        unread = b""
        while True:
            ready, _, _ = select.select([self._master, self._woken], [], [])
            if self._woken in ready:
                return
            unread += os.read(self._master, 256)
            *commands, unread = unread.split(b"\r")
            for command in commands:
                self.heard.append(command.decode())
                self.says("OK" if self.heard[-1] in self._knows else "ERROR")
