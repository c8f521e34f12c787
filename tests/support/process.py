"""A program run by a test: its output is kept whole, its end is by its own process id."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PATIENCE = 30.0
"""Seconds that anything may take on a loaded machine before a test calls it failed."""


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE) -> None:
    """Return as soon as `condition()` is true; AssertionError naming `what` (asked for then) if it is not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(0.005)


class Process:
    """A started program. Use as a context manager, or call `end()`.

    Both output streams are drained by threads, so that the program is never blocked by a full pipe; `output`
    is what it has said so far, in order, lines of the error stream marked with "! ".
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
    ) -> None:
        self.argv = [str(word) for word in argv]
        self._lines: list[tuple[str, str]] = []
        self._news = threading.Condition()
        self._popen = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        assert self._popen.stdout and self._popen.stderr
        self._threads = [self._drain("", self._popen.stdout), self._drain("! ", self._popen.stderr)]

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """Everything it has said so far."""
        with self._news:
            return "".join(mark + line for mark, line in self._lines)

    @property
    def stdout(self) -> str:
        """What it has said on its standard output."""
        return self._said("")

    @property
    def stderr(self) -> str:
        """What it has said on its error stream."""
        return self._said("! ")

    def wait_for(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Return the match of a regular expression in a line of output, already there or still to come."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + seconds
        seen = 0
        with self._news:
            while True:
                for _, line in self._lines[seen:]:
                    if found := wanted.search(line):
                        return found
                seen = len(self._lines)
                left = deadline - time.monotonic()
                ended = not any(thread.is_alive() for thread in self._threads)
                if left <= 0 or ended:
                    break
                self._news.wait(min(left, 0.1))
        state = "ended" if ended else "ran"
        raise AssertionError(f"{self._name} {state} without saying {pattern!r}\n{self.report()}")

    def serves(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait until `condition()` is true; if it never is, or the program ends before, end it and tell why."""
        try:
            wait_until(lambda: condition() or not self.running, what, seconds)
            assert self.running, f"{self._name} ended: {what}"
        except BaseException as failure:
            self.end()
            raise AssertionError(f"{failure}\n{self.report()}") from None

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit code once it has ended by itself; AssertionError if it does not."""
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._name} did not end within {seconds:g} s\n{self.report()}") from None
        self._close()
        return code

    def end(self, sign: int = signal.SIGTERM, seconds: float = 10.0) -> int:
        """End it by its process id: `sign` first, SIGKILL if that does not help; return the exit code."""
        if self.running:
            self._popen.send_signal(sign)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        code = self._popen.wait()
        self._close()
        return code

    def report(self) -> str:
        """Return the command and all of its output, for the message of a failure."""
        return f"$ {shlex.join(self.argv)}   (exit code {self.returncode})\n{self.output}"

    @property
    def _name(self) -> str:
        return Path(self.argv[0]).name

    def _said(self, wanted: str) -> str:
        with self._news:
            return "".join(line for mark, line in self._lines if mark == wanted)

    def _drain(self, mark: str, stream: IO[bytes]) -> threading.Thread:
        def read() -> None:
            for raw in stream:
                with self._news:
                    self._lines.append((mark, raw.decode("utf-8", "replace")))
                    self._news.notify_all()
            with self._news:
                self._news.notify_all()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _close(self) -> None:
        for thread in self._threads:
            thread.join(2.0)
        for stream, thread in zip((self._popen.stdout, self._popen.stderr), self._threads, strict=True):
            if stream and not thread.is_alive():
                stream.close()
