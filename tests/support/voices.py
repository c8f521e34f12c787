"""A talk with our own voice on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from pathlib import Path as File
from typing import Any

from bridge.directory.model import MediaWay
from bridge.media.carriage import Carriage, Told
from bridge.media.choice import Party
from bridge.media.model import CALLER, VoiceEvent
from bridge.media.relay import CallRelay, Ports
from bridge.media.sounds import Sounds, convert
from bridge.media.tone import sine
from bridge.media.voice import Voice
from bridge.sip.message import Body
from tests.support.ports import free_even_port
from tests.support.process import PATIENCE
from tests.support.wav import wav

ANNA, BEN, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on a loop."""
    asyncio.run(work)


def describes(host: str, port: int, formats: str = "8 0 101", way: str = "sendrecv") -> Body:
    """Return a phone's description."""
    return Body(
        "application/sdp",
        f"v=0\r\no=- {port} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP {formats}\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na={way}\r\n".encode(),
    )


class Talk:
    """One call's relay, and our voice at the caller's side of it."""

    def __init__(self, sounds: Sounds | None = None, pairs: int = 8, ports: Ports | None = None) -> None:
        self.events: list[VoiceEvent] = []
        first = free_even_port()
        self.ports = ports or Ports(first, first + 2 * pairs + 40, "", sounds or Sounds(), self.events.append)
        relay = self.ports.open()
        assert relay is not None
        self.relay: CallRelay = relay
        sides = tuple(Party(host, "127.0.0.1", MediaWay.AUTO) for host in (ANNA, BEN))
        self.carriage = Carriage(relay, (sides[0], sides[1]), (Told("1"), Told("2")))
        self.voice: Voice = self.carriage.voice(CALLER)
        found = relay.ports(0)
        assert found is not None
        self.port, self.member_port = found

    async def told(self, count: int) -> list[VoiceEvent]:
        """Wait for so many events."""
        async with asyncio.timeout(PATIENCE):
            while len(self.events) < count:
                await asyncio.sleep(0.005)
        return self.events


@contextlib.contextmanager
def talk(*args: Any, **more: Any) -> Iterator[Talk]:
    """Give a talk, and close its ports at the end."""
    made = Talk(*args, **more)
    try:
        yield made
    finally:
        made.relay.close()


def converted(sounds: Sounds, directory: File, *files: str) -> Sounds:
    """Return sounds for which these files were converted."""
    sounds.cache = directory / "cache"
    for file in files:
        convert(File(file), sounds.cache)
    assert not sounds.take(files)
    return sounds


def tone_file(directory: File, hertz: int, seconds: float = 1.0) -> str:
    """Write a WAV file with a tone; return its path."""
    path = directory / f"{hertz}.wav"
    path.write_bytes(wav(sine(hertz, -10, round(8000 * seconds)), 8000))
    return str(path)
