"""A caller-id modem at a serial device, on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hardware.caller_id import CallerIdModem, News
from hardware.serial_device import LOOK_AGAIN, SerialDevice

SPEED = 115200


class Modem:
    """The modem at `path`. `heard` is told what it says, `lost` why it is not there, once for each reason."""

    def __init__(
        self, path: str, heard: Callable[[News], None], lost: Callable[[str], None], look_again: float = LOOK_AGAIN
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._talk = CallerIdModem()
        self._timer: asyncio.TimerHandle | None = None
        self._device = SerialDevice(
            path, SPEED, look_again, opened=self._opened, received=self._received, lost=self._gone
        )

    def start(self) -> None:
        """Begin on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._device.start()

    def close(self) -> None:
        """End; a second time does nothing."""
        self._disarm()
        self._device.close()

    def _opened(self) -> None:
        self._talk = CallerIdModem()
        self._talk.open(self._loop.time())
        self._go_on([])

    def _received(self, data: bytes) -> None:
        self._go_on(self._talk.receive(data, self._loop.time()))

    def _on_timer(self) -> None:
        self._timer = None
        self._go_on(self._talk.tick(self._loop.time()))

    def _gone(self, reason: str) -> None:
        self._disarm()
        self._lost(reason)

    def _go_on(self, news: list[News]) -> None:
        out, self._talk.outgoing = self._talk.outgoing, b""
        if out:
            self._device.send(out)
        self._disarm()
        due = self._talk.deadline()
        if due is not None:
            self._timer = self._loop.call_at(due, self._on_timer)
        for each in news:
            self._heard(each)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
