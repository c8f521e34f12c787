"""A simulated phone with sockets: SIP and RTP on ports of the kernel's choice, on the running loop."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from bridge.phone.diary import Diary
from bridge.phone.model import Account, Manner, PhoneEvent, Registered
from bridge.phone.phone import Phone
from bridge.sip.endpoint import Endpoint

GOODBYE = 1.0  # seconds that the server has to take note that the phone goes

R = TypeVar("R")


class SoftPhone:
    """One phone; `diary` tells what has happened to it. Use as an asynchronous context manager."""

    def __init__(self, account: Account, manner: Manner | None = None, host: str = "127.0.0.1") -> None:
        self.account = account
        self.diary: Diary[PhoneEvent] = Diary()
        self._manner = manner
        self._host = host

    async def __aenter__(self) -> SoftPhone:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Open the sockets and begin to register."""
        self._loop = asyncio.get_running_loop()
        self._rtp, _ = await self._loop.create_datagram_endpoint(lambda: _Rtp(self._hear), (self._host, 0))
        self.phone = Phone(
            self.account,
            self._rtp.get_extra_info("sockname")[1],
            locate=lambda flow: self._endpoint.locate(flow),
            token=lambda: secrets.token_hex(8),
            rng=random.SystemRandom(),
            manner=self._manner,
        )
        listen = [(self.account.server.transport, self._host, 0)]
        self._endpoint = Endpoint(self.phone, listen, None, self._after_step)
        with ExitStack() as undo:
            undo.callback(self._rtp.close)
            await self._endpoint.start()
            undo.pop_all()
        self.do(self.phone.start)

    async def close(self) -> None:
        """Hang up, unregister, and close the sockets, whether the server has taken note or not.

        Raises what the phone has failed with, if it has: a bug of ours.
        """
        self.do(self.phone.stop)
        end = self._loop.time() + GOODBYE
        while not self.phone.quiet and self._loop.time() < end:
            await asyncio.sleep(0.01)
        await self._endpoint.close()
        self._rtp.close()
        if self._endpoint.failed.done():
            self._endpoint.failed.result()

    async def registered(self, seconds: float) -> bool:
        """Wait until the server knows it; False if that takes longer."""
        return await self.diary.until(lambda event: isinstance(event, Registered), seconds) is not None

    def do(self, what: Callable[[float], R]) -> R:
        """Do what a person does, as `do(phone.phone.answer)`, and send what comes of it."""
        done = what(self._loop.time())
        self._endpoint.pump()
        return done

    def _hear(self, data: bytes) -> None:
        self.phone.hear(data)
        self._write_diary()

    def _after_step(self) -> None:
        sounds, self.phone.sounds[:] = self.phone.sounds[:], []
        for sound in sounds:
            self._rtp.sendto(sound.data, (sound.host, sound.port))
        self._write_diary()

    def _write_diary(self) -> None:
        events = self.phone.events
        while events:
            self.diary.note(events.popleft(), self._loop.time())


class _Rtp(asyncio.DatagramProtocol):
    """The RTP port. What cannot be delivered, because the other side is gone, is lost, as sound may be."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Hear it."""
        self._hear(data)
