"""A simulated board in a terminal: keys press its buttons, one line of text shows its lamps.

The line is the last of the terminal and is drawn again only when a lamp has changed. Whatever else is written to
the terminal meanwhile goes through `above()`, which takes the line away, writes, and draws it again; so logs and
lamps do not fight. Input stays in the terminal's cbreak mode: Ctrl-C and Ctrl-Z do what they always do.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import termios
import tty
from typing import Any, TextIO, cast

from hardware.simulated import SimulatedBoard, SimulatedButton, SimulatedLamp
from hardware.simulated_panel import SimulatedKey, SimulatedLight

KEYS = "1234567890abcdefgijklmnopqrstuvwxyz"  # h is for holding
HOLD_KEY = "h"
PRESS_SECONDS = 0.1
HOLD_SECONDS = 1.0
_ERASE = "\r\x1b[K"


class Terminal:
    """Ties a board to a terminal while it is open."""

    def __init__(self, board: SimulatedBoard, stdin: TextIO, stdout: TextIO) -> None:
        self._board = board
        self._stdin = stdin
        self._stdout = stdout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._mode: list[Any] = []
        self._holding = False
        self._drawn = ""
        self._planned: asyncio.Handle | None = None

    @property
    def is_open(self) -> bool:
        """Whether keys are read and lamps drawn."""
        return self._loop is not None

    def open(self) -> bool:
        """Begin, on the running loop; return False, and do nothing, where either side is no terminal."""
        if not (self._stdin.isatty() and self._stdout.isatty()):
            return False
        self._mode = termios.tcgetattr(self._stdin)
        tty.setcbreak(self._stdin.fileno(), termios.TCSANOW)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._stdin.fileno(), self._read)
        self._board.watcher = self._plan
        self._stdout.flush()
        self._write("".join(f"{line}\n" for line in self.legend()))
        self._draw()
        return True

    def close(self) -> None:
        """Take the line away and give the terminal back as it was."""
        if self._loop is None:
            return
        self._board.watcher = None
        self._loop.remove_reader(self._stdin.fileno())
        self._loop = None
        if self._planned is not None:
            self._planned.cancel()
        self._write(_ERASE)
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._mode)

    def above(self, stream: TextIO) -> TextIO:
        """Return a stream that writes whole lines to `stream` above the line of lamps."""
        return cast(TextIO, _Above(self, stream))

    def legend(self) -> list[str]:
        """Return the lines that say which key presses what."""
        keys = [f"  {key}  {_named(b)}" for key, b in zip(KEYS, self._board.keys, strict=False)]
        return ["simulated buttons:", *keys, f"  {HOLD_KEY} before a key holds it down"] if keys else []

    def line(self) -> str:
        """Return the lamps as one line of text."""
        on, off = ("●", "○") if _speaks_utf8(self._stdout) else ("*", ".")
        text = "   ".join(f"{on if lamp.lit else off} {_named(lamp)}" for lamp in self._board.lights)
        return text[: _columns(self._stdout) - 1]

    def write_above(self, stream: TextIO, text: str) -> None:
        """Write text that ends with a line's end, the line of lamps below it."""
        if not self.is_open:
            stream.write(text)
            stream.flush()
            return
        self._write(_ERASE)
        stream.write(text)
        stream.flush()
        self._drawn = ""
        self._draw()

    def _plan(self) -> None:
        """Draw once, however many lamps change at the same moment."""
        if self._planned is None and self._loop is not None:
            self._planned = self._loop.call_soon(self._draw)

    def _draw(self) -> None:
        self._planned = None
        line = self.line()
        if self.is_open and line != self._drawn:
            self._drawn = line
            self._write(_ERASE + line)

    def _write(self, text: str) -> None:
        """Write at once, past the stream's buffer: what a terminal that is gone cannot take is not kept for later."""
        with contextlib.suppress(OSError):
            os.write(self._stdout.fileno(), text.encode(self._stdout.encoding or "ascii", "replace"))

    def _read(self) -> None:
        assert self._loop is not None
        try:
            typed = os.read(self._stdin.fileno(), 256)
        except OSError:  # the terminal is gone
            typed = b""
        if not typed:
            self._loop.remove_reader(self._stdin.fileno())
        for key in typed.decode("utf-8", "replace"):
            self._type(key)

    def _type(self, key: str) -> None:
        holding, self._holding = self._holding, key == HOLD_KEY
        index = KEYS.find(key)
        keys = self._board.keys
        if 0 <= index < len(keys):
            self._press(keys[index], HOLD_SECONDS if holding else PRESS_SECONDS)

    def _press(self, button: SimulatedButton | SimulatedKey, seconds: float) -> None:
        if self._loop is not None and not button.read():
            button.move(True)
            self._loop.call_later(seconds, button.move, False)


class _Above(io.TextIOBase):
    """A text stream that collects whole lines and hands them to the terminal."""

    def __init__(self, terminal: Terminal, stream: TextIO) -> None:
        self._terminal = terminal
        self._stream = stream
        self._rest = ""

    def write(self, text: str) -> int:
        lines, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._terminal.write_above(self._stream, lines + newline)
        return len(text)

    def flush(self) -> None:
        """Write what is whole; half a line waits for its end."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True


def _named(part: SimulatedButton | SimulatedKey | SimulatedLamp | SimulatedLight) -> str:
    colour = part.colour if isinstance(part, SimulatedLamp) else None
    return (part.title or part.place) + (f" ({colour})" if colour else "")


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80  # some terminals do not know their size
    except OSError:
        return 80


def _speaks_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"
