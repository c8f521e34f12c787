"""A panel at a desk: its keys give gestures as buttons at pins do, its lamps show the same confirmed state.

A panel debounces its keys itself. Whether one that went down is still held is believed only while the panel says so:
ten times a second, so a release that got lost is never taken for a hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.desk.filter import Filter
from bridge.desk.parts import Key
from bridge.desk.presses import Presses
from bridge.desk.signals import Signal
from bridge.events import Event, Notice, PanelChanged
from hardware.panel import Panel
from hardware.panel_link import Hello

HERE, GONE, LOOKING = "here", "gone", "looking"
PRESSES_AT_ONCE = 20
PRESSES_A_SECOND = 10.0  # more than fingers do; a panel that says more is not believed


class PanelLight:
    """A lamp of a panel, which knows by itself how signals look."""

    def __init__(self, panel: Panel, number: int) -> None:
        self._panel = panel
        self._number = number

    def show(self, signal: Signal, now: float) -> None:
        """Show a signal from now on."""
        self._panel.show(self._number, signal.panel_name)


@dataclass(slots=True)
class PanelStatus:
    """What is known of a panel. `since` is UTC seconds."""

    path: str
    state: str
    since: float
    reason: str = ""
    hello: Hello | None = None


class PanelDesk:
    """Listens to the panel of one desk. `keys` and `lamps`: what the desk has on it, each number with its key path."""

    def __init__(
        self,
        desk: str,
        path: str,
        panel: Panel,
        presses: Presses,
        tell: Callable[[Event], None],
        wall: Callable[[], float],
    ) -> None:
        self.panel = panel
        self.desk = desk
        self.status = PanelStatus(path, LOOKING, wall())
        self.keys: dict[int, Key] = {}
        self.places: dict[str, str] = {}  # "key 1" or "lamp 1" to its key path
        self._presses = presses
        self._tell = tell
        self._wall = wall
        self._budget = Budget(PRESSES_AT_ONCE, PRESSES_A_SECOND)

    def start(self) -> None:
        """Begin to look for it."""
        self.panel.start(self)

    def close(self) -> None:
        """Let go of it."""
        self.panel.close()

    def panel_here(self, hello: Hello) -> None:
        """Take the keys as they are now: one that is down means nothing until it is released."""
        for number, key in self.keys.items():
            self._presses.forget(key)
            pressed = bool(hello.down >> number - 1 & 1)
            key.filter = Filter(holds=key.does.hold is not None, pressed=pressed, stable=0.0)
        self._change(HERE, "", hello)
        self._say_what_lacks("key", max(self.keys, default=0), hello.keys)

    def panel_gone(self, reason: str) -> None:
        """Take back what unfinished presses have promised."""
        for key in self.keys.values():
            self._presses.forget(key)
        self._change(GONE, reason, None)

    def panel_lacks(self, lamp: int) -> None:
        """Tell of a lamp that the panel has not."""
        count = self.status.hello.lamps if self.status.hello else 0
        self._say_what_lacks("lamp", lamp, count)

    def panel_key(self, key: int, pressed: bool, at: float) -> None:
        """Take in that a key has moved."""
        found = self.keys.get(key)
        if found is None or (pressed and not self._honest(at)):
            return
        self._presses.act(found, found.filter.told(pressed, at))

    def panel_held(self, mask: int, now: float) -> None:
        """Take in which keys are still down."""
        for number, key in self.keys.items():
            if not key.filter.pressed:
                continue
            down = bool(mask >> number - 1 & 1)
            self._presses.act(key, key.filter.tick(True, now) if down else key.filter.told(False, now))

    def _honest(self, at: float) -> bool:
        believed, first = self._budget.take(at)
        if first:
            text = f"the panel of desk {self.desk} says more key presses than fingers can do; they are passed over"
            self._tell(Notice(self._wall(), "panel", text))
        return believed

    def _change(self, state: str, reason: str, hello: Hello | None) -> None:
        self.status = PanelStatus(self.status.path, state, self._wall(), reason, hello)
        self._tell(PanelChanged(self._wall(), self.desk, self.status.path, state, reason))

    def _say_what_lacks(self, what: str, number: int, count: int) -> None:
        place = self.places.get(f"{what} {number}")
        if number > count and place is not None:
            text = f"{place}: the panel has {count} {what}s; there is no {what} {number}"
            self._tell(Notice(self._wall(), "panel", text))


class Budget:
    """So many at once, so many a second. Times are seconds, monotonic."""

    def __init__(self, most: float, per_second: float) -> None:
        self._most = most
        self._rate = per_second
        self._left = most
        self._at = 0.0
        self._spent = False

    def take(self, now: float) -> tuple[bool, bool]:
        """Take one; return whether there was one, and whether this is the first time that there was none."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._rate)
        self._at = max(self._at, now)
        if self._left >= 1.0:
            self._left -= 1.0
            if self._left > self._most / 2:
                self._spent = False
            return True, False
        first, self._spent = not self._spent, True
        return False, first
