"""What every panel does on an event loop, whatever carries its bytes: a line to it, and one who listens.

All of it is on the loop. One timer serves the line, and is set only for what the protocol has pending.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Protocol

from hardware.panel_link import BridgeEnd, Held, Hello, Here, Lacks, Moved, News, Refused, Silent
from hardware.panel_protocol import VERSION


class PanelListener(Protocol):
    """Hears what a panel does. Times are seconds of the loop's clock."""

    def panel_here(self, hello: Hello) -> None:
        """Take note that it is there, or has started anew."""

    def panel_gone(self, reason: str) -> None:
        """Take note that it is not there, not heard, or not to be used; told once for each reason."""

    def panel_lacks(self, lamp: int) -> None:
        """Take note that it has no such lamp."""

    def panel_key(self, key: int, pressed: bool, at: float) -> None:
        """Take note that a key has moved at `at`."""

    def panel_held(self, mask: int, now: float) -> None:
        """Take note of which keys are pressed now; key 1 in the lowest bit."""


class Panel(ABC):
    """One panel. `show` may be called at any time: what a panel that is not there missed it is told when it comes."""

    def __init__(self) -> None:
        self._end = BridgeEnd()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, listener: PanelListener) -> None:
        """Begin on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._begin()

    def close(self) -> None:
        """End, and let the panel show that the bridge is gone; a second time does nothing."""
        self._disarm()
        if self._talks:
            self._end.close()
            self._send(self._end.take())
        self._end_line()

    def show(self, lamp: int, signal: str) -> None:
        """Let a lamp (from 1) show a signal, by its name in `hardware.patterns`, until another is shown."""
        self._end.show(lamp, signal, self._now())
        self._go_on([])

    # -- for those who carry the bytes ----------------------------------------------------------------------------

    @abstractmethod
    def _begin(self) -> None:
        """Look for the panel."""

    @abstractmethod
    def _end_line(self) -> None:
        """Let go of it."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Carry bytes to the panel; what cannot be carried is lost."""

    def _opened(self) -> None:
        """Take up the talk on a line that is new."""
        self._end.open(self._now())
        self._go_on([])

    def _received(self, data: bytes) -> None:
        """Take in bytes from the panel."""
        self._go_on(self._end.receive(data, self._now()))

    def _lost(self, reason: str) -> None:
        """Tell that the line is gone."""
        self._disarm()
        self._listener.panel_gone(reason)

    # -- the talk -------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._loop.time() * 1000)

    def _on_timer(self) -> None:
        self._timer = None
        self._go_on(self._end.tick(self._now()))

    def _go_on(self, news: list[News]) -> None:
        out = self._end.take()
        if out:
            self._send(out)
        self._arm()
        for each in news:
            self._tell(each)

    def _arm(self) -> None:
        due = self._end.deadline() if self._talks else None
        when = None if due is None else (due + 1) / 1000  # a whole millisecond later than what was cut off
        if self._timer is not None:
            if self._timer.when() == when:
                return
            self._timer.cancel()
        self._timer = None if when is None else self._loop.call_at(when, self._on_timer)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    @abstractmethod
    def _talks(self) -> bool:
        """Whether there is a line."""

    def _tell(self, news: News) -> None:
        match news:
            case Here(hello):
                self._listener.panel_here(hello)
            case Moved(key, pressed, at):
                self._listener.panel_key(key, pressed, at / 1000)
            case Held(mask):
                self._listener.panel_held(mask, self._loop.time())
            case Lacks(lamp):
                self._listener.panel_lacks(lamp)
            case Refused(hello):
                self._listener.panel_gone(_other_version(hello))
            case Silent(damaged):
                self._listener.panel_gone(_silence(damaged))


def _other_version(hello: Hello) -> str:
    theirs = f"version {hello.version}" if hello.version >= 0 else "no version that is known"
    return (
        f"it speaks {theirs} of the panel protocol, this bridge {VERSION}; copy hardware/firmware of this bridge to it"
    )


def _silence(damaged: int) -> str:
    if damaged:
        return f"nothing of what it says is understood ({damaged} damaged lines); is it a panel, is its cable short?"
    return "it has said nothing for 7 s; is its firmware running?"
