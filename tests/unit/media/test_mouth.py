"""Whom a socket of the relay listens to, on virtual time: a socket of paper, and a clock that is set."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from bridge.media.model import Path
from bridge.media.mouth import GIVEN_UP, Count, Mouth

PHONE, OTHER = "192.0.2.9", "203.0.113.66"
PACKET = b"\x80\x08" + bytes(170)


class Paper:
    """A socket and the loop that it hangs on."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.now = 100.0
        self.read: Callable[[], None] = lambda: None
        self.sent: list[tuple[str, int]] = []
        self._waiting: deque[tuple[str, int]] = deque()

    def add_reader(self, sock: object, read: Callable[[], None]) -> None:
        """Take who reads."""
        self.read = read

    def time(self) -> float:
        """Return the time."""
        return self.now

    def recvfrom_into(self, buffer: bytearray) -> tuple[int, tuple[str, int]]:
        """Return the next packet."""
        if not self._waiting:
            raise BlockingIOError
        buffer[: len(PACKET)] = PACKET
        return len(PACKET), self._waiting.popleft()

    def sendto(self, data: object, place: tuple[str, int]) -> None:
        """Remember where a packet went."""
        self.sent.append(place)

    def fileno(self) -> int:
        """Return that it is open."""
        return 3

    def come(self, host: str, port: int, after: float = 0.02) -> None:
        """Let a packet come."""
        self.now += after
        self._waiting.append((host, port))
        self.read()


class Pair:
    """A side that is listened to, and the other one, which is sent to."""

    def __init__(self, follows: bool = True, lent: bool = False) -> None:
        self.near, self.far = Paper(), Paper()
        self.count = Count()
        self.heard = 0
        self.mouth, other = (self._mouth(paper) for paper in (self.near, self.far))
        self.mouth.join(other)
        self.mouth.settle(Path(PHONE, 4000, 4001, follows), 4000, None)
        other.settle(Path("10.0.0.1", 5000, 5001), 5000, None)
        if lent:
            self.mouth.lend(self._hear)

    def _hear(self, packet: memoryview) -> None:
        self.heard += 1

    def _mouth(self, paper: Any) -> Mouth:
        return Mouth(paper, bytearray(2048), self.count, paper)

    def passed(self, host: str, port: int, after: float = 0.02) -> bool:
        """Whether a packet from there is sent on, or heard by us."""
        before = len(self.far.sent) + self.heard
        self.near.come(host, port, after)
        return len(self.far.sent) + self.heard > before


@pytest.mark.parametrize("lent", [False, True])
def test_a_port_that_speaks_while_that_of_before_is_silent_takes_its_place(lent: bool) -> None:
    """As after a translator begins anew: it is dropped for a second, then heard, and the phone is answered there."""
    pair = Pair(lent=lent)
    assert pair.passed(PHONE, 40001)
    assert not pair.passed(PHONE, 40777)
    dropped = sum(not pair.passed(PHONE, 40777) for _ in range(60))
    assert dropped == pytest.approx(GIVEN_UP / 0.02, abs=1)
    assert not pair.passed(PHONE, 40001)
    if not lent:
        pair.far.come("10.0.0.1", 5000)
        assert pair.near.sent == [(PHONE, 40777)]


def test_who_speaks_is_not_interrupted() -> None:
    """A second port of the same address, as long as the first one says anything at all within each second."""
    pair = Pair()
    assert pair.passed(PHONE, 40001)
    for _ in range(20):
        for _ in range(9):
            assert not pair.passed(PHONE, 40777, 0.1)
        assert pair.passed(PHONE, 40001, 0.05)


def test_one_packet_is_no_reason() -> None:
    """Silence of the first port for long, and then one packet of another one: it is the first of a second, no more."""
    pair = Pair()
    assert pair.passed(PHONE, 40001)
    assert not pair.passed(PHONE, 40777, 3600.0)
    assert pair.passed(PHONE, 40001)


def test_two_that_compete_both_wait() -> None:
    """Only one port that speaks for a whole second by itself takes the place."""
    pair = Pair()
    assert pair.passed(PHONE, 40001)
    assert not any(pair.passed(PHONE, 40777 + number % 2) for number in range(200))


def test_another_address_never_takes_the_place() -> None:
    """However long it tries, before the phone has spoken, and after it has fallen silent."""
    pair = Pair()
    assert not any(pair.passed(OTHER, 40001) for _ in range(100))
    assert pair.passed(PHONE, 40001)
    assert not any(pair.passed(OTHER, 40001) for _ in range(500))
    pair.far.come("10.0.0.1", 5000)
    assert pair.near.sent == [(PHONE, 40001)]


def test_a_phone_without_nat_is_sent_to_where_it_said() -> None:
    """Its packets may come from any port of its, one after the other; they go to the port that it has named."""
    pair = Pair(follows=False)
    assert pair.passed(PHONE, 4000)
    assert sum(pair.passed(PHONE, 4444) for _ in range(60)) > 5
    pair.far.come("10.0.0.1", 5000)
    assert pair.near.sent == [(PHONE, 4000)]
