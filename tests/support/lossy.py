"""A bad network: a UDP proxy between one phone and the bridge that loses, repeats, delays and reorders, both ways.

The bridge sees the phone at `outside`, the phone sees the bridge at `inside`. SIP gets through as long as the phone
sends all its requests to `inside`, as to an outbound proxy, and names `outside` in its Contact and Via. Nothing that
passes is read or changed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

Address = tuple[str, int]
NEAR = 0.005  # seconds that a datagram takes which is not held up


@dataclass(frozen=True)
class Weather:
    """Shares of datagrams (0 to 1): lost, sent twice, held up so that later ones overtake them by `late` seconds."""

    lost: float = 0.05
    twice: float = 0.05
    held: float = 0.05
    late: float = 0.1


class _Side(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Address], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._take(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Go on: who is not there now may be later."""


class Lossy:
    """One phone's way to the bridge and back."""

    def __init__(self, bridge: Address, weather: Weather, seed: int) -> None:
        self.passed = self.lost = self.doubled = self.overtaken = 0
        self._bridge = bridge
        self._weather = weather
        self._rng = random.Random(seed)
        self._phone: Address | None = None  # as soon as it has said something, or is told
        self._outside: asyncio.DatagramTransport
        self._inside: asyncio.DatagramTransport

    @classmethod
    async def open(
        cls, outside: Address, bridge: Address, weather: Weather, seed: int, phone: Address | None = None
    ) -> Lossy:
        """Listen at `outside` for the bridge, and at a port of the kernel's choice for the phone."""
        made = cls(bridge, weather, seed)
        made._phone = phone
        loop = asyncio.get_running_loop()
        made._outside, _ = await loop.create_datagram_endpoint(lambda: _Side(made._from_bridge), local_addr=outside)
        made._inside, _ = await loop.create_datagram_endpoint(
            lambda: _Side(made._from_phone), local_addr=(outside[0], 0)
        )
        return made

    @property
    def inside(self) -> Address:
        """Where the phone finds the bridge."""
        host, port = self._inside.get_extra_info("sockname")
        return host, port

    def close(self) -> None:
        """End; what is on its way is lost."""
        self._outside.close()
        self._inside.close()

    def _from_phone(self, data: bytes, source: Address) -> None:
        self._phone = source
        self._pass(lambda: self._outside.sendto(data, self._bridge))

    def _from_bridge(self, data: bytes, source: Address) -> None:
        if source == self._bridge:
            self._pass(lambda: self._inside.sendto(data, self._phone) if self._phone is not None else None)

    def _pass(self, send: Callable[[], None]) -> None:
        """Do to a datagram what the weather wants."""
        weather, rng = self._weather, self._rng
        self.passed += 1
        if rng.random() < weather.lost:
            self.lost += 1
            return
        copies = 1
        if rng.random() < weather.twice:
            self.doubled += 1
            copies = 2
        for _ in range(copies):
            delay = rng.uniform(0.0, NEAR)
            if rng.random() < weather.held:
                self.overtaken += 1
                delay += rng.uniform(weather.late / 5, weather.late)
            asyncio.get_running_loop().call_later(delay, self._send, send)

    def _send(self, send: Callable[[], None]) -> None:
        if not self._outside.is_closing() and not self._inside.is_closing():
            send()
