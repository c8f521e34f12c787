"""A panel at a serial device, which may be plugged in and pulled at any time."""

from __future__ import annotations

from hardware.panel import Panel
from hardware.serial_device import LOOK_AGAIN, SerialDevice

SPEED = 115200


class SerialPanel(Panel):
    """The panel at `path`, best one under /dev/serial/by-id. `look_again`: seconds between looks for a missing one."""

    def __init__(self, path: str, look_again: float = LOOK_AGAIN) -> None:
        super().__init__()
        self._device = SerialDevice(
            path, SPEED, look_again, opened=self._opened, received=self._received, lost=self._lost
        )

    @property
    def _talks(self) -> bool:
        return self._device.is_open

    def _begin(self) -> None:
        self._device.start()

    def _end_line(self) -> None:
        self._device.close()

    def _send(self, data: bytes) -> None:
        self._device.send(data)
