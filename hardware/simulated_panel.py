"""A panel that is only in memory: the firmware's own logic and the bridge's own line, and no wire between them.

It ships for `--simulate-hardware` and the demo, and passes the same contract tests as one at a serial device. All of
it is on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from hardware.firmware.device import Device
from hardware.model import HardwareError
from hardware.panel import Panel


class SimulatedKey:
    """A key of the panel. `title` is what people may read at it."""

    def __init__(self, panel: SimulatedPanel, key: int, title: str) -> None:
        self.key = key
        self.title = title
        self.place = f"key {key}"
        self._panel = panel

    def read(self) -> bool:
        """Return whether it is pressed now."""
        return self._panel.pressed(self.key)

    def move(self, pressed: bool) -> None:
        """Press or release it."""
        self._panel.move(self.key, pressed)


class SimulatedLight:
    """A lamp of the panel."""

    def __init__(self, panel: SimulatedPanel, lamp: int, title: str) -> None:
        self.lamp = lamp
        self.title = title
        self.place = f"lamp {lamp}"
        self._panel = panel

    @property
    def lit(self) -> bool:
        """Whether it is lit now."""
        return self._panel.lit(self.lamp)


class SimulatedPanel(Panel):
    """A panel with as many keys and lamps as the highest that has a title. `watcher` is called when lamps have changed.

    It is plugged in from the start; `pull` and `plug` do what their names say.
    """

    def __init__(
        self, keys: Mapping[int, str], lamps: Mapping[int, str], watcher: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self.watcher = watcher
        self.keys = tuple(SimulatedKey(self, key, title) for key, title in sorted(keys.items()))
        self.lights = tuple(SimulatedLight(self, lamp, title) for lamp, title in sorted(lamps.items()))
        self._counts = max(keys, default=0), max(lamps, default=0)
        self._device: Device | None = None
        self._device_timer: asyncio.TimerHandle | None = None
        self._boots = 0
        self._pressed = 0
        self._lit = 0

    def move(self, key: int, pressed: bool) -> None:
        """Press or release a key; raises HardwareError when the panel has none such."""
        self._known(key, self._counts[0], "key")
        bit = 1 << key - 1
        self._pressed = self._pressed | bit if pressed else self._pressed & ~bit
        self._step(b"")

    def pressed(self, key: int) -> bool:
        """Return whether a key is pressed; raises HardwareError."""
        self._known(key, self._counts[0], "key")
        return bool(self._pressed >> key - 1 & 1)

    def lit(self, lamp: int) -> bool:
        """Return whether a lamp is lit; raises HardwareError."""
        self._known(lamp, self._counts[1], "lamp")
        return bool(self._lit >> lamp - 1 & 1)

    def plug(self) -> None:
        """Plug it in: it starts anew."""
        self._boots += 1
        self._device = Device("simulated", *self._counts, f"s{self._boots}")
        self._opened()
        self._step(b"")

    def pull(self) -> None:
        """Pull it out."""
        self._unplug()
        self._lost("it is not plugged in")

    def _known(self, number: int, count: int, what: str) -> None:
        if not 1 <= number <= count:
            raise HardwareError(f"{what} {number}: the simulated panel has none such")

    # -- the panel's side -----------------------------------------------------------------------------------------

    def _step(self, received: bytes) -> None:
        if self._device is None:
            return
        now = self._now()
        out = self._device.step(self._pressed, received, now)
        if out:
            self._loop.call_soon(self._arrive, self._device, out)
        self._light(self._device.lamps(now))
        if self._device_timer is not None:
            self._device_timer.cancel()
        due = max(self._device.deadline(now), now + 1)
        self._device_timer = self._loop.call_at((due + 1) / 1000, self._step, b"")

    def _arrive(self, sender: Device, data: bytes) -> None:
        if sender is self._device:
            self._received(data)

    def _light(self, lit: int) -> None:
        if lit != self._lit:
            self._lit = lit
            if self.watcher is not None:
                self.watcher()

    def _unplug(self) -> None:
        self._device = None
        self._pressed = 0
        self._light(0)
        if self._device_timer is not None:
            self._device_timer.cancel()
            self._device_timer = None

    # -- the bridge's side ----------------------------------------------------------------------------------------

    @property
    def _talks(self) -> bool:
        return self._device is not None

    def _begin(self) -> None:
        self.plug()

    def _end_line(self) -> None:
        self._unplug()

    def _send(self, data: bytes) -> None:
        self._loop.call_soon(self._take, self._device, data)

    def _take(self, receiver: Device | None, data: bytes) -> None:
        if receiver is not None and receiver is self._device:
            self._step(data)
