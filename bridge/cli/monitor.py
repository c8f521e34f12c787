"""`cti-bridge monitor`: everything at a glance, drawn anew when something happens, with keys to act.

curses sends only what has changed on the screen, which is what a slow link needs.
"""

from __future__ import annotations

import argparse
import curses
import os
import queue
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import connect, request
from bridge.cli.ending import DONE, UNREACHABLE, USAGE, Stop
from bridge.cli.events import event_text
from bridge.cli.screen import Picture, Place, Style, composed
from bridge.cli.text import clean
from bridge.control.client import Agent, AgentUnreachable

GATHER = 0.15  # seconds in which further events are waited for before the screen is drawn again
EVENTS = 50
PAUSE_REASON = "by monitor"
_TOO_MANY = ("offer_ended", "call_over")  # told by other events as well
_VERBS = {"i": "login", "o": "logout", "p": "pause", "u": "unpause"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--plain", action="store_true", help="no colours (NO_COLOR in the environment does the same)")


def run(args: argparse.Namespace) -> int:
    """Show until q or Ctrl-C."""
    if args.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Stop("monitor needs a terminal; right for machines is status --json, or events --json", USAGE)
    os.environ.setdefault("ESCDELAY", "25")
    with connect(args) as asking, connect(args) as following:
        request(following, args, "follow", {})
        coming = _Coming(following)
        try:
            curses.wrapper(lambda window: Monitor(window, asking, coming, args).work())
        except AgentUnreachable as gone:
            raise Stop(str(gone), UNREACHABLE) from None
        except KeyboardInterrupt:
            return DONE
        except curses.error as error:
            raise Stop(f"this terminal ({os.environ.get('TERM', 'none')}) cannot be drawn on: {error}") from None
    return DONE


class _Coming:
    """The agent's events, read by a thread; a byte in a pipe says that there are some."""

    def __init__(self, agent: Agent) -> None:
        self.events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.wakes, self._wake = os.pipe()
        threading.Thread(target=self._read, args=(agent,), daemon=True).start()

    def _read(self, agent: Agent) -> None:
        try:
            for event in agent.events():
                self._put(event)
        except (AgentUnreachable, OSError, ValueError):
            pass  # told as the end of events
        self._put(None)

    def _put(self, event: dict[str, Any] | None) -> None:
        self.events.put(event)
        self.wake()

    def wake(self, *_: object) -> None:
        """Let whoever waits look again."""
        os.write(self._wake, b"!")


class Monitor:
    """The screen and its keys."""

    def __init__(self, window: curses.window, agent: Agent, coming: _Coming, args: argparse.Namespace) -> None:
        self._window = window
        self._agent = agent
        self._coming = coming
        self._told: deque[str] = deque(maxlen=EVENTS)
        self._chosen: Place | None = None
        self._picture = Picture({})
        self._styles = _styles(args.plain or "NO_COLOR" in os.environ)

    def work(self) -> None:
        """Draw, wait for a key or an event, and begin anew. Raises AgentUnreachable where the agent ends."""
        self._window.keypad(True)
        self._window.nodelay(True)
        signal.signal(signal.SIGWINCH, self._coming.wake)  # select goes on by itself after curses' own
        self._look()
        while True:
            self._draw()
            ready, _, _ = select.select([sys.stdin, self._coming.wakes], [], [])
            if self._coming.wakes in ready:
                time.sleep(GATHER)
                self._take_events()
                self._look()
            while (key := self._window.getch()) != -1:
                if key in (ord("q"), ord("Q")):
                    return
                self._on_key(key)

    def _look(self) -> None:
        said = self._picture.said
        status = self._ask("status", {}) or {}
        desks = self._ask("desks", {}, quiet=True) or {}
        self._picture = Picture(status, desks.get("desks", {}), self._told, said)
        places = self._picture.places
        if self._chosen not in places:
            self._chosen = places[0] if places else None

    def _take_events(self) -> None:
        os.read(self._coming.wakes, 4096)
        while not self._coming.events.empty():
            event = self._coming.events.get()
            if event is None:
                raise AgentUnreachable(f"the agent at {self._agent.path} has ended, or let this slow reader go")
            if event["type"] not in _TOO_MANY:
                self._told.append(event_text(event))

    def _draw(self) -> None:
        size = os.get_terminal_size()
        if (size.lines, size.columns) != self._window.getmaxyx():
            curses.resizeterm(size.lines, size.columns)
        height, width = self._window.getmaxyx()
        self._window.erase()
        for row, line in enumerate(composed(self._picture, self._chosen, width - 1, height)):
            self._window.addstr(row, 0, line.text, self._styles[line.style])
        self._window.refresh()

    # -- keys -------------------------------------------------------------------------------------------------------

    def _on_key(self, key: int) -> None:
        self._picture.said = ""
        if key in (ord("r"), ord("R"), 12):
            self._window.clear()
        elif key in (curses.KEY_UP, ord("k")):
            self._move(-1)
        elif key in (curses.KEY_DOWN, ord("j")):
            self._move(1)
        elif 0 < key < 128 and chr(key) in _VERBS:
            self._act(_VERBS[chr(key)])
        elif key == ord("g"):
            self._pick_up()

    def _move(self, by: int) -> None:
        places = self._picture.places
        if self._chosen in places:
            self._chosen = places[(places.index(self._chosen) + by) % len(places)]

    def _act(self, verb: str) -> None:
        if self._chosen is not None:
            more = {"reason": PAUSE_REASON} if verb == "pause" else {}
            self._ask(verb, {"group": self._chosen.group, "member": self._chosen.member, **more})
            self._look()

    def _pick_up(self) -> None:
        if self._chosen is not None:
            self._ask("pickup", {"group": self._chosen.group, "member": self._chosen.member})

    def _ask(self, verb: str, arguments: Mapping[str, Any], quiet: bool = False) -> dict[str, Any] | None:
        """Return the answer's data; where it is a refusal, say so on the screen."""
        answer = self._agent.request(verb, arguments)
        error = answer.get("error")
        if error:
            if not quiet:
                self._picture.said = clean(error["message"])
            return None
        data: dict[str, Any] = answer["data"]
        return data


def _styles(plain: bool) -> Mapping[Style, int]:
    styles = {
        Style.PLAIN: curses.A_NORMAL,
        Style.HEADING: curses.A_BOLD,
        Style.WRONG: curses.A_BOLD,
        Style.CHOSEN: curses.A_REVERSE,
        Style.FAINT: curses.A_DIM,
    }
    if not plain and curses.has_colors():
        curses.use_default_colors()
        curses.init_pair(1, curses.COLOR_RED, -1)
        styles[Style.WRONG] = curses.color_pair(1) | curses.A_BOLD
    return styles
