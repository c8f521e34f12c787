"""A panel and the bridge's end of its line, on virtual time and on a line that loses and damages frames."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from hardware.firmware.device import Device
from hardware.panel_link import BridgeEnd, Hello, News

DELAY = 1  # ms that a frame is on its way


class Stepped(NamedTuple):
    """What a panel says after a step: bytes to send, the mask of lit lamps, when something is due next."""

    out: bytes
    lit: int
    due: int


class Panel(Protocol):
    """A panel's firmware, wherever it runs."""

    def __call__(self, pressed: int, received: bytes, now: int) -> Stepped:
        """Take a step."""


def here(keys: int = 8, lamps: int = 8, boot: str = "b001") -> Panel:
    """Return the firmware's logic under this interpreter."""
    device = Device("test", keys, lamps, boot)

    def step(pressed: int, received: bytes, now: int) -> Stepped:
        out = device.step(pressed, received, now)
        return Stepped(out, device.lamps(now), device.deadline(now))

    return step


Fault = Callable[[bytes], bytes]
"""What becomes of a frame on its way."""


def losing(share: float, rng: random.Random) -> Fault:
    """Lose frames."""
    return lambda line: b"" if rng.random() < share else line


class Line:
    """Both ends and the time. `news` is what the bridge's end has told, with when; `pressed` the keys that are down."""

    def __init__(self, panel: Panel, fault: Fault = lambda line: line, start: int = 1000) -> None:
        self.panel = panel
        self.bridge = BridgeEnd()
        self.now = start
        self.pressed = 0
        self.lit = 0
        self.news: list[tuple[int, News]] = []
        self.said: list[bytes] = []
        self.cut = False  # nothing arrives
        self._fault = fault
        self._to_bridge: list[tuple[int, bytes]] = []
        self._to_panel: list[tuple[int, bytes]] = []
        self._panel_due = start
        self.bridge.open(start)
        self._step()

    def move(self, key: int, pressed: bool) -> None:
        """Press or release a key."""
        bit = 1 << (key - 1)
        self.pressed = self.pressed | bit if pressed else self.pressed & ~bit
        self._step(panel=True)

    def press(self, key: int, milliseconds: int, then: int = 100) -> None:
        """Press a key for a while, and wait."""
        self.move(key, True)
        self.run(milliseconds)
        self.move(key, False)
        self.run(then)

    def show(self, lamp: int, signal: str) -> None:
        """Let a lamp show something."""
        self.bridge.show(lamp, signal, self.now)
        self._step()

    def run(self, milliseconds: int) -> None:
        """Let time pass."""
        until = self.now + milliseconds
        while (due := self._due()) <= until:
            self.now = max(self.now, due)
            self._step()
        self.now = until

    def of(self, kind: type[News]) -> list[News]:
        """Return the news of a kind."""
        return [news for _, news in self.news if isinstance(news, kind)]

    def _due(self) -> int:
        due = [self._panel_due, *(at for at, _ in self._to_bridge), *(at for at, _ in self._to_panel)]
        bridge = self.bridge.deadline()
        return min(due if bridge is None else [*due, bridge])

    def _step(self, *, panel: bool = False) -> None:
        arrived, self._to_bridge = _arrived(self._to_bridge, self.now)
        if arrived:
            self._tell(self.bridge.receive(arrived, self.now))
        self._tell(self.bridge.tick(self.now))
        self._send(self._to_panel, self.bridge.take())
        received, self._to_panel = _arrived(self._to_panel, self.now)
        if panel or received or self.now >= self._panel_due:
            out, self.lit, self._panel_due = self.panel(self.pressed, received, self.now)
            self._send(self._to_bridge, out)

    def _send(self, way: list[tuple[int, bytes]], data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            self.said.append(line)
            came = b"" if self.cut else self._fault(line)
            if came:
                way.append((self.now + DELAY, came))

    def _tell(self, news: list[News]) -> None:
        self.news += [(self.now, each) for each in news]


def _arrived(way: list[tuple[int, bytes]], now: int) -> tuple[bytes, list[tuple[int, bytes]]]:
    return b"".join(data for at, data in way if at <= now), [each for each in way if each[0] > now]


class Ear:
    """Notes what a panel tells."""

    def __init__(self) -> None:
        self.here: list[Hello] = []
        self.gone: list[str] = []
        self.lacking: list[int] = []
        self.moves: list[tuple[int, bool, float]] = []
        self.masks: list[int] = []

    def panel_here(self, hello: Hello) -> None:
        """Note."""
        self.here.append(hello)

    def panel_gone(self, reason: str) -> None:
        """Note."""
        self.gone.append(reason)

    def panel_lacks(self, lamp: int) -> None:
        """Note."""
        self.lacking.append(lamp)

    def panel_key(self, key: int, pressed: bool, at: float) -> None:
        """Note."""
        self.moves.append((key, pressed, at))

    def panel_held(self, mask: int, now: float) -> None:
        """Note."""
        self.masks.append(mask)
