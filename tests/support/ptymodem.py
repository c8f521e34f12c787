"""A caller-id modem at a real pseudo terminal: answers AT commands in a thread, says what it is told to say."""

from __future__ import annotations

import os
import select
from pathlib import Path

from tests.support.pluggable import Pluggable


class PtyModem(Pluggable):
    """A modem that is plugged in at `path` while it is open; `knows`: the commands that it answers by OK."""

    def __init__(self, path: Path, knows: tuple[str, ...] = ("ATZ", "AT+VCID=1")) -> None:
        super().__init__(path)
        self.heard: list[str] = []
        self._knows = knows

    def begin(self) -> None:
        """Be as before: it keeps nothing."""

    def says(self, *lines: str) -> None:
        """Say lines, byte by byte."""
        for byte in "".join(f"\r\n{line}\r\n" for line in lines).encode():
            os.write(self.master, bytes([byte]))

    def serve(self) -> None:
        """Answer commands."""
        unread = b""
        while True:
            ready, _, _ = select.select([self.master, self.woken], [], [])
            if self.woken in ready:
                return
            unread += os.read(self.master, 256)
            *commands, unread = unread.split(b"\r")
            for command in commands:
                self.heard.append(command.decode())
                self.says("OK" if self.heard[-1] in self._knows else "ERROR")
