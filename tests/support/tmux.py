"""A real terminal of 80 columns and 24 lines: tmux, driven by keys, and what its screen shows."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.process import PATIENCE, wait_until

SCREENS = Path(__file__).parent.parent / "contract" / "screens"
"""What screens have to look like; written anew where `CTI_BRIDGE_SCREENS=write` is in the environment."""


class Tmux:
    """A program in a terminal of its own. Use as a context manager.

    The terminal stays when the program ends, with its exit code in the last line: `[ended 0]`.
    """

    def __init__(
        self,
        directory: Path,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self._directory = directory  # also where its socket lies: a path from the root may be too long for one
        program = shlex.join(map(str, argv))
        shell = f'{program}; echo "[ended $?]"; exec cat'
        columns, lines = map(str, size)
        options = ["-x", columns, "-y", lines, "-c", str(directory)]
        environ = {**os.environ, "TERM": "screen", "LC_ALL": "C.UTF-8", **(env or {})}
        self._tmux("-f", "/dev/null", "new-session", "-d", *options, shell, env=environ)
        self._pid = int(self._tmux("display-message", "-p", "#{pid}"))

    def __enter__(self) -> Tmux:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGTERM)
        wait_until(lambda: not _alive(self._pid), "tmux has ended")

    @property
    def screen(self) -> str:
        """What is on the screen now: lines without blanks at their ends, no empty ones at the bottom."""
        shown = self._tmux("capture-pane", "-p")
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip() + "\n"

    def type(self, *keys: str) -> None:
        """Press keys as tmux names them: "Enter", "C-c", "C-d", or text."""
        for key in keys:
            literal = [] if key in ("Enter", "C-c", "C-d", "Escape", "Up", "Down", "Space", "Tab") else ["-l"]
            self._tmux("send-keys", *literal, "--", key)

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until a text stands on the screen."""
        self.shows(text, seconds=seconds)

    def shows(self, *texts: str, seconds: float = PATIENCE) -> None:
        """Wait until all of these stand on the screen at the same time."""

        def seen() -> bool:
            screen = self.screen
            return all(text in screen for text in texts)

        wait_until(seen, lambda: f"{texts} on the screen:\n{self.screen}", seconds)

    def ended(self) -> int:
        """Wait until the program has ended; return its exit code."""
        self.wait_for("[ended ")
        return int(self.screen.rpartition("[ended ")[2].partition("]")[0])

    def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def answer(self, question: str, *keys: str) -> None:
        """Wait until the last line is a question that ends in `question`; type an answer and Enter."""

        def asked() -> bool:
            return self.screen.rstrip("\n").endswith(question)

        wait_until(asked, lambda: f"asked {question!r}:\n{self.screen}")
        self.type(*keys, "Enter")

    def looks_like(self, name: str, *hidden: tuple[str, str]) -> None:
        """Compare the screen with the one on file; `hidden`: what differs each time (a pattern), and its stand-in."""
        shown = self.screen
        for real, stand_in in hidden:
            shown = re.sub(real, stand_in, shown)
        file = SCREENS / f"{name}.txt"
        if os.environ.get("CTI_BRIDGE_SCREENS") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(shown)
        assert shown == file.read_text(), f"{file} is:\n{file.read_text()}\nthe screen:\n{shown}"

    def _tmux(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        argv = ["tmux", "-S", "tmux", *words]
        done = subprocess.run(argv, cwd=self._directory, env=env, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{shlex.join(argv)}: {done.stderr}"
        return done.stdout


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
