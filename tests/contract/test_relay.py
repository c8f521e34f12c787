"""The relay's sockets: two sides hear each other, and nobody else is heard or answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from bridge.media.g711 import ALAW, FRAME, ULAW, decode, encode
from bridge.media.model import CALLER, MEMBER, Path
from bridge.media.relay import STREAMS, CallRelay, Ports
from bridge.media.rtp import Packet, Stream, parse_packet
from bridge.media.translation import matched
from tests.support.ports import free_even_port
from tests.support.process import PATIENCE
from tests.unit.media.test_translation import media

ANNA, BEN, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class End:
    """A phone's RTP socket."""

    def __init__(self, host: str, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.setblocking(False)
        self.host = host
        self.port: int = self.socket.getsockname()[1]
        self._stream = Stream(1, 1, 1)

    def say(self, port: int, payload: bytes = b"x" * FRAME, payload_type: int = 8, to: str = "127.0.0.1") -> bytes:
        """Send a packet to a port of the relay; return it."""
        data = self._stream.packet(payload_type, payload, FRAME)
        self.socket.sendto(data, (to, port))
        return data

    async def hears(self) -> tuple[bytes, int]:
        """Return the next packet, and the port that it came from."""
        async with asyncio.timeout(PATIENCE):
            data, source = await asyncio.get_running_loop().sock_recvfrom(self.socket, 2048)
        return data, source[1]

    def silent(self) -> bool:
        """Whether nothing has come."""
        with contextlib.suppress(BlockingIOError):
            self.socket.recv(2048)
            return False
        return True

    def path(self, **more: Any) -> Path:
        """Return where it receives, as it would describe it."""
        return Path(self.host, self.port, self.port + 1, **more)


@pytest.fixture
def end() -> Iterator[Callable[..., End]]:
    """Return what makes phones' sockets."""
    with contextlib.ExitStack() as stack:

        def make(host: str, port: int = 0) -> End:
            made = End(host, port)
            stack.callback(made.socket.close)
            return made

        yield make


@contextlib.contextmanager
def relayed(ports: Ports) -> Iterator[tuple[CallRelay, int, int]]:
    """Open one call's relay; give it and its two ports."""
    relay = ports.open()
    assert relay is not None
    first = relay.ports(0)
    assert first is not None
    try:
        yield relay, *first
    finally:
        relay.close()


def some_ports(pairs: int = 2, host: str = "") -> Ports:
    """Return ports of which the first are free."""
    first = free_even_port()
    return Ports(first, first + 2 * pairs - 1 + 40, host)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on a loop."""
    asyncio.run(work)


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_two_sides_hear_each_other(end: Callable[..., End], host: str) -> None:
    """RTP and RTCP both ways, each side from the port that it was told, packets as they were."""

    async def work() -> None:
        anna, ben = end(ANNA), end(BEN)
        with relayed(some_ports(host=host)) as (relay, left, right):
            relay.settle(0, CALLER, anna.path())
            relay.settle(0, MEMBER, ben.path())
            for _ in range(3):
                said = anna.say(left)
                assert await ben.hears() == (said, right)
                said = ben.say(right)
                assert await anna.hears() == (said, left)
            anna_rtcp, ben_rtcp = end(ANNA, anna.port + 1), end(BEN, ben.port + 1)
            said = anna_rtcp.say(left + 1, b"report", 72)
            assert await ben_rtcp.hears() == (said, right + 1)
            said = ben_rtcp.say(right + 1, b"report", 73)
            assert await anna_rtcp.hears() == (said, left + 1)

    run(work())


def test_strangers_are_dropped(end: Callable[..., End]) -> None:
    """Whoever has not the signalled address is not heard, before the latch and after it, and nothing goes to him."""

    async def work() -> None:
        anna, ben, stranger = end(ANNA), end(BEN), end(STRANGER)
        second = end(ANNA)
        ports = some_ports()
        with relayed(ports) as (relay, left, right):
            stranger.say(left)
            anna.say(left)  # nothing is settled yet: nobody is heard
            while ports.count.dropped < 2:
                await asyncio.sleep(0)
            relay.settle(0, CALLER, anna.path())
            relay.settle(0, MEMBER, ben.path())
            stranger.say(left)
            stranger.say(right)
            said = anna.say(left)
            assert await ben.hears() == (said, right)
            second.say(left)  # the same address, when another port was there first
            stranger.say(left)
            said = anna.say(left)
            assert await ben.hears() == (said, right)
            said = ben.say(right)
            assert await anna.hears() == (said, left)
            assert all(each.silent() for each in (anna, ben, second, stranger))
            assert ports.count.relayed == 3 and ports.count.dropped == 6

    run(work())


def test_a_phone_behind_nat_is_answered_where_it_speaks_from(end: Callable[..., End]) -> None:
    """Its port is not the one that it has described; a new description lets it come from another one."""

    async def work() -> None:
        nat, ben, later = end(ANNA), end(BEN), end(ANNA)
        described = Path(ANNA, 9, 10, follows=True)
        with relayed(some_ports()) as (relay, left, right):
            relay.settle(0, CALLER, described)
            relay.settle(0, MEMBER, ben.path())
            ben.say(right)  # into the void
            nat.say(left)
            await ben.hears()
            said = ben.say(right)
            assert await nat.hears() == (said, left)
            relay.settle(0, CALLER, described)
            said = ben.say(right)
            assert await nat.hears() == (said, left)
            later.say(left)
            await ben.hears()
            said = ben.say(right)
            assert await later.hears() == (said, left)

    run(work())


def test_a_phone_that_sends_from_another_port_gets_its_packets_where_it_said(end: Callable[..., End]) -> None:
    """Without NAT the description counts, even where a phone does not send from the port that it receives at."""

    async def work() -> None:
        mouth, ear, ben = end(ANNA), end(ANNA), end(BEN)
        with relayed(some_ports()) as (relay, left, right):
            relay.settle(0, CALLER, ear.path())
            relay.settle(0, MEMBER, ben.path())
            mouth.say(left)
            await ben.hears()
            said = ben.say(right)
            assert await ear.hears() == (said, left)

    run(work())


def test_payload_types_and_laws_are_translated(end: Callable[..., End]) -> None:
    """Keys under the other side's number, marker and all; A-law arrives as µ-law; what is not named is left alone."""
    keys = "telephone-event/8000"
    match = matched(media("8 101", f"101 {keys}"), media("0 96", f"96 {keys}"))

    async def work() -> None:
        anna, ben = end(ANNA), end(BEN)
        with relayed(some_ports()) as (relay, left, right):
            relay.settle(0, CALLER, anna.path(translation=match.from_offerer))
            relay.settle(0, MEMBER, ben.path(translation=match.from_answerer))
            anna.say(left, bytes([ALAW.silence]) * FRAME, 8)
            first = parse_packet((await ben.hears())[0])
            quiet = encode(ULAW, decode(ALAW, bytes([ALAW.silence]) * FRAME))
            assert first == Packet(0, 1, 1, 1, quiet, marker=True)
            anna.say(left, b"\x05\x0a\x00\xa0", 101)
            assert parse_packet((await ben.hears())[0])[:2] == (96, 2)
            ben.say(right, bytes([ULAW.silence]) * FRAME, 0)
            back = parse_packet((await anna.hears())[0])
            assert (back.payload_type, back.payload) == (8, bytes([ALAW.silence]) * FRAME)
            said = ben.say(right, b"other", 13)
            assert (await anna.hears())[0] == said

    run(work())


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x8f\x08" + b"x" * 10, b"\x90\x08" + b"x" * 20, b"\x00" * 12, b"x" * 4000]
)
def test_odd_packets_do_no_harm(end: Callable[..., End], data: bytes) -> None:
    """Too short, with more contributors than bytes, extended, no RTP at all, too long: the next one passes."""
    match = matched(media("8"), media("0"))

    async def work() -> None:
        anna, ben = end(ANNA), end(BEN)
        with relayed(some_ports()) as (relay, left, _):
            relay.settle(0, CALLER, anna.path(translation=match.from_offerer))
            relay.settle(0, MEMBER, ben.path())
            anna.socket.sendto(data, ("127.0.0.1", left))
            anna.say(left)
            while parse_or_none((await ben.hears())[0]) != 0:
                pass

    run(work())


def parse_or_none(data: bytes) -> int | None:
    """Return the payload type of a packet that is a whole frame."""
    return data[1] & 127 if len(data) == 12 + FRAME else None


def test_ports_run_out_and_come_back() -> None:
    """Even and odd pairs of the range, no more; those of a call that is over are given out again, the oldest first."""

    async def work() -> None:
        first = free_even_port(pairs=2)
        ports = Ports(first - 1, first + 3)
        relay = ports.open()
        assert relay is not None and relay.ports(0) == (first, first + 2)
        assert ports.open() is None and relay.ports(1) is None
        relay.close()
        relay.close()
        assert ports.free == 2 and relay.ports(0) is None
        again = ports.open()
        assert again is not None and again.ports(0) == (first, first + 2)
        again.close()

    run(work())


def test_a_pair_that_somebody_else_uses_is_passed_over() -> None:
    """RTP or RTCP: another program's port is no reason to fail as long as there are others."""

    async def work() -> None:
        ports = some_ports(pairs=20)
        first = ports.open()
        assert first is not None
        taken = first.ports(0)
        first.close()
        assert taken is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            fresh = Ports(taken[0], taken[0] + 40)
            other.bind(("0.0.0.0", taken[0] + 1))
            relay = fresh.open()
            assert relay is not None and taken[0] not in (relay.ports(0) or ())
            relay.close()

    run(work())


def test_a_call_has_few_streams() -> None:
    """One call's description cannot use up all ports."""

    async def work() -> None:
        ports = some_ports(pairs=40)
        with relayed(ports) as (relay, _, _):
            assert [relay.ports(number) is not None for number in range(STREAMS + 2)] == [True] * STREAMS + [False] * 2

    run(work())


def test_between_address_families(end: Callable[..., End]) -> None:
    """One side speaks IPv4, the other IPv6."""

    async def work() -> None:
        try:
            anna, ben = end(ANNA), end("::1")
        except OSError:
            pytest.skip("this machine has no IPv6")
        with relayed(some_ports()) as (relay, left, right):
            relay.settle(0, CALLER, anna.path())
            relay.settle(0, MEMBER, ben.path())
            said = anna.say(left)
            assert await ben.hears() == (said, right)
            said = ben.say(right, to="::1")
            assert await anna.hears() == (said, left)

    run(work())
