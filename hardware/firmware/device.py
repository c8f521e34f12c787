"""What the panel does, without its pins: debounces keys, speaks with the bridge, says which lamps are lit.

It runs unchanged under CPython and MicroPython. Times are whole milliseconds of a clock that never goes back; keys and
lamps are masks, the first in the lowest bit.
"""

from hardware.firmware.end import PanelEnd
from hardware.patterns import lit, next_change

FIRMWARE = "1.0"
STABLE = 25  # a key counts once it has been where it is for so long


class Device:
    """The panel: `step` is called again and again, at the latest when `deadline` says."""

    def __init__(self, identity: str, keys: int, lamps: int, boot: str) -> None:
        self.end = PanelEnd(identity, FIRMWARE, keys, lamps, boot)
        self._keys = keys
        self._raw = 0
        self._stable = 0
        self._moved = [0] * keys
        self._shown = list(self.end.signals)
        self._since = [0] * lamps

    def step(self, pressed: int, received: bytes, now: int) -> bytes:
        """Take in the keys as they are and what the bridge has sent; return what to send."""
        if received:
            self.end.receive(received, now)
        self._debounce(pressed, now)
        self.end.tick(now)
        for lamp, signal in enumerate(self.end.signals):
            if signal != self._shown[lamp]:
                self._shown[lamp], self._since[lamp] = signal, now
        return self.end.take()

    def lamps(self, now: int) -> int:
        """Return which lamps are lit."""
        mask = 0
        for lamp, signal in enumerate(self._shown):
            if lit(signal, self._since[lamp], now):
                mask |= 1 << lamp
        return mask

    def deadline(self, now: int) -> int:
        """Return when something is due, if neither a key moves nor the bridge says something before."""
        due = [self.end.deadline()]
        for key in range(self._keys):
            if (self._raw ^ self._stable) >> key & 1:
                due.append(self._moved[key] + STABLE)
        for lamp, signal in enumerate(self._shown):
            change = next_change(signal, self._since[lamp], now)
            if change is not None:
                due.append(change)
        return min(due)

    def _debounce(self, pressed: int, now: int) -> None:
        changed = pressed ^ self._raw
        self._raw = pressed
        for key in range(self._keys):
            if changed >> key & 1:
                self._moved[key] = now
        unsettled = self._raw ^ self._stable
        if not unsettled:
            return
        for key in range(self._keys):
            if unsettled >> key & 1 and now - self._moved[key] >= STABLE:
                self._stable ^= 1 << key
                self.end.key(key + 1, bool(self._raw >> key & 1), self._moved[key], now)
