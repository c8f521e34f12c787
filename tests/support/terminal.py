"""A terminal of a given size, by tmux: a program runs in it, keys are pressed, the screen is read."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.process import PATIENCE, wait_until


class Terminal:
    """One program in a terminal of its own. Use as a context manager; its tmux server is ended by its process id."""

    def __init__(
        self,
        directory: Path,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        width: int = 80,
        height: int = 24,
        term: str = "screen",
    ) -> None:
        self._socket = directory / "tmux.sock"
        self._config = directory / "tmux.conf"
        self._ended = directory / "ended"
        self._config.write_text(
            f"set -g default-terminal {term}\nset -g status off\nset -g exit-empty off\nset -g remain-on-exit on\n"
        )
        words = shlex.join([str(word) for word in argv])
        command = f"{words}; echo $? > {shlex.quote(str(self._ended))}"
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), "sh", "-c", command, env=env)
        self._pid = int(self._run("display-message", "-p", "#{pid}"))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)

    def _run(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        argv = ["tmux", "-S", str(self._socket), "-f", str(self._config), *words]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
        environment.pop("TMUX", None)
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    @property
    def screen(self) -> str:
        """What is seen, without the spaces at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._run("capture-pane", "-p").splitlines()).rstrip("\n")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._run("send-keys", "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Change the terminal's size."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def shows(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Wait until all of these are seen at the same time; return the screen."""
        wait_until(lambda: all(text in self.screen for text in texts), lambda: f"seen: {texts}\n{self.screen}", seconds)
        return self.screen

    def ended(self) -> int:
        """Wait until the program has ended; return its exit code."""
        wait_until(lambda: self._ended.exists() and self._ended.read_text().strip(), lambda: f"ended\n{self.screen}")
        return int(self._ended.read_text())
