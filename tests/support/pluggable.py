"""Something serial at a real pseudo terminal: plugged in at a path, served in a thread, and pulled out."""

from __future__ import annotations

import os
import pty
import threading
import tty
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self


class Pluggable(ABC):
    """Plugged in at `path` while it is open. What it says goes to `master`; `wake` lets `serve` look at `woken`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ending = False
        self.master = self.woken = -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def plug(self) -> None:
        """Plug it in: it starts anew."""
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self._slave = slave  # kept open: a line is not gone when the bridge is
        self.woken, self._waker = os.pipe()
        self.ending = False
        self.begin()
        self._thread = threading.Thread(target=self.serve, name=type(self).__name__)
        self._thread.start()
        temporary = self.path.with_suffix(".new")
        temporary.symlink_to(os.ttyname(slave))
        temporary.replace(self.path)

    def pull(self) -> None:
        """Pull it out, perhaps in mid-line; a second time does nothing."""
        if self._thread is None:
            return
        self.ending = True
        self.wake()
        self._thread.join()
        self._thread = None
        self.path.unlink(missing_ok=True)
        for each in (self._slave, self.master, self.woken, self._waker):
            os.close(each)

    def wake(self) -> None:
        """Let `serve` look whether something else is to be done."""
        os.write(self._waker, b"!")

    @abstractmethod
    def begin(self) -> None:
        """Be as it is after it was plugged in; `master` is open."""

    @abstractmethod
    def serve(self) -> None:
        """Serve until `ending`; on a thread of its own."""
