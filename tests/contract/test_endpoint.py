"""The endpoint on real loopback sockets, under a small engine that notes what it is told."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest

from bridge.sip.endpoint import Endpoint, EndpointError
from bridge.sip.endpoint.streams import StreamLimits
from bridge.sip.flow import Flow, Send

PATIENCE = 20.0
HELLO = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports what was not delivered")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 loopback here")


class Engine:
    """Notes what it is told; answers with what it got, where it is to `echo`."""

    def __init__(self, echo: bool = True) -> None:
        self.outbox: list[Send] = []
        self.echo = echo
        self.received: list[tuple[bytes, Flow]] = []
        self.failures: list[tuple[Flow, str]] = []
        self.ticks: list[float] = []
        self.due: float | None = None
        self.steps = 0

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Note, and echo."""
        if b"bug" in data:
            raise ZeroDivisionError("a bug of ours")
        self.received.append((data, flow))
        if self.echo:
            self.outbox.append(Send(flow, data))

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note."""
        self.failures.append((flow, reason))

    def tick(self, now: float) -> None:
        """Note; nothing more is due."""
        self.ticks.append(now)
        self.due = None

    def deadline(self) -> float | None:
        """Return what the test has set."""
        return self.due

    def step(self) -> None:
        """Count the steps."""
        self.steps += 1


Body = Callable[[Endpoint, Engine], Awaitable[None]]
BOTH = [("udp", "127.0.0.1", 0), ("tcp", "127.0.0.1", 0)]


def run(body: Body, listen: Any = BOTH, advertise: str | None = None, echo: bool = True, **options: Any) -> None:
    """Run a test's body on an endpoint that is then closed."""

    async def main() -> None:
        engine = Engine(echo)
        endpoint = Endpoint(engine, listen, advertise, engine.step, **options)
        async with asyncio.timeout(PATIENCE * 2):
            await endpoint.start()
            try:
                await body(endpoint, engine)
            finally:
                await endpoint.close()

    asyncio.run(main())


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)


def port_of(endpoint: Endpoint, transport: str) -> int:
    """The port that is listened on."""
    return next(port for kind, _, port in endpoint.addresses if kind == transport)


@asynccontextmanager
async def connection(
    endpoint: Endpoint, limit: int = 65536, host: str | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to the endpoint by TCP, from a host of ours, and close in the end."""
    local = (host, 0) if host else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(endpoint, "tcp"), limit=limit, local_addr=local)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class Phone:
    """A UDP socket of a peer."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    async def receive(self) -> bytes:
        """Wait for the next datagram."""
        return await asyncio.get_running_loop().sock_recv(self.socket, 65536)

    def __enter__(self) -> "Phone":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


# -- datagrams ------------------------------------------------------------------------------------------------------


def test_a_datagram_goes_in_with_its_flow_and_its_answer_out_of_the_same_socket() -> None:
    """The flow names peer and listener; the answer comes from where the question went."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            second = endpoint.addresses[1][2]
            phone.socket.sendto(HELLO, ("127.0.0.1", second))
            data, address = await asyncio.get_running_loop().sock_recvfrom(phone.socket, 65536)
            assert (data, address) == (HELLO, ("127.0.0.1", second))
            assert engine.received == [(HELLO, Flow("udp", "127.0.0.1", phone.port, 1))]
            assert engine.steps >= 1

    run(body, [("udp", "127.0.0.1", 0), ("udp", "127.0.0.1", 0)])


def test_keep_alives_are_not_messages() -> None:
    """Empty datagrams, line ends, zero bytes and the like keep a NAT open and say nothing."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            for data in (b"", b"\r\n\r\n", b"\0\0\0\0", b"jaK", HELLO):
                phone.socket.sendto(data, ("127.0.0.1", port_of(endpoint, "udp")))
            assert await phone.receive() == HELLO
            assert len(engine.received) == 1

    run(body)


def test_a_flood_leaves_turns_to_others() -> None:
    """However many datagrams wait, only so many are taken in one turn of the loop; none is lost."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            for _ in range(150):
                phone.socket.sendto(HELLO, ("127.0.0.1", port_of(endpoint, "udp")))
            at_each_turn = []
            while len(engine.received) < 150:
                await asyncio.sleep(0)
                at_each_turn.append(len(engine.received))
            assert max(b - a for a, b in zip([0, *at_each_turn], at_each_turn, strict=False)) <= 64

    run(body, echo=False)


@linux
def test_a_closed_port_is_told_at_once() -> None:
    """ICMP's port unreachable becomes a failed flow; the next datagram to somebody else goes out unharmed."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as gone:
            pass
        flow = Flow("udp", "127.0.0.1", gone.port)
        engine.outbox.append(Send(flow, HELLO))
        endpoint.pump()
        with Phone() as phone:
            engine.outbox.append(Send(Flow("udp", "127.0.0.1", phone.port), HELLO))
            endpoint.pump()
            assert await phone.receive() == HELLO
        await until(lambda: engine.failures)
        assert engine.failures == [(flow._replace(listener=0), "port unreachable"), (flow, "port unreachable")]

    run(body)


def test_what_cannot_be_sent_is_told() -> None:
    """A datagram that is too large, a port that is none, a family without a listener: failed flows, no exceptions."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        flows = [Flow("udp", "127.0.0.1", 9), Flow("udp", "127.0.0.1", 0), Flow("udp", "127.0.0.1", 70000)]
        flows += [Flow("udp", "::1", 5060), Flow("tls", "127.0.0.1", 5061)]
        engine.outbox.append(Send(flows[0], b"x" * 70000))
        engine.outbox.extend(Send(flow, HELLO) for flow in flows[1:])
        endpoint.pump()
        await until(lambda: {flow for flow, _ in engine.failures} == set(flows))

    run(body)


@ipv6
def test_ipv6_and_ipv4_on_one_socket() -> None:
    """A listener on :: takes both; IPv4 peers have their plain address, both ways."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        for host in ("127.0.0.1", "::1"):
            with Phone(host) as phone:
                phone.socket.sendto(HELLO, (host, port_of(endpoint, "udp")))
                assert await phone.receive() == HELLO
                assert engine.received[-1][1] == Flow("udp", host, phone.port, 0)
                assert endpoint.locate(engine.received[-1][1]).host == host

    run(body, [("udp", "::", 0)])


@ipv6
def test_ipv4_and_ipv6_wildcards_share_a_port() -> None:
    """0.0.0.0 and :: with the same port are two listeners, each of its family."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        port = port_of(endpoint, "udp")
        both = Endpoint(engine, [("udp", "0.0.0.0", port + 0), ("udp", "[::]", port)], None, engine.step)
        await endpoint.close()
        await both.start()
        for index, host in enumerate(("127.0.0.1", "::1")):
            with Phone(host) as phone:
                phone.socket.sendto(HELLO, (host, port))
                assert await phone.receive() == HELLO
                assert engine.received[-1][1].listener == index
        await both.close()

    run(body, [("udp", "127.0.0.1", 0)])


# -- streams --------------------------------------------------------------------------------------------------------


def test_a_stream_is_cut_into_messages_and_answered_on_the_same_connection() -> None:
    """Whatever pieces come; a ping between the messages gets its pong."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with connection(endpoint) as (reader, writer):
            writer.write(HELLO[:10])
            await writer.drain()
            writer.write(HELLO[10:] + b"\r\n\r\n" + HELLO)
            answers = await reader.readexactly(2 * len(HELLO) + 2)
            assert sorted(answers) == sorted(HELLO + b"\r\n" + HELLO) and answers.count(HELLO) == 2
            host, port = writer.get_extra_info("sockname")
            assert {flow for _, flow in engine.received} == {Flow("tcp", host, port)}
        await until(lambda: engine.failures)
        assert engine.failures == [(Flow("tcp", host, port), "connection closed by the peer")]

    run(body)


def test_a_connection_is_made_once_and_what_waits_for_it_keeps_its_order() -> None:
    """All messages to one address take one connection, in the order in which they were sent."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        got: list[bytes] = []
        server = await asyncio.start_server(lambda r, w: _collect(r, w, got), "127.0.0.1", 0)
        flow = Flow("tcp", "127.0.0.1", server.sockets[0].getsockname()[1])
        messages = [HELLO.replace(b"a@b", b"%d@b" % n) for n in range(20)]
        for message in messages:
            engine.outbox.append(Send(flow, message))
            endpoint.pump()
            await asyncio.sleep(0)
        await until(lambda: b"".join(got) == b"".join(messages))
        server.close()
        assert engine.failures == []

    run(body)


async def _collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, got: list[bytes]) -> None:
    while data := await reader.read(65536):
        got.append(data)
    writer.close()


def test_a_refused_connection_is_a_failed_flow() -> None:
    """Told once for all that waited, with the reason."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            flow = Flow("tcp", "127.0.0.1", probe.getsockname()[1])
        engine.outbox.extend([Send(flow, HELLO), Send(flow, HELLO)])
        endpoint.pump()
        await until(lambda: engine.failures)
        ((failed, reason),) = engine.failures
        assert failed == flow and "no connection" in reason

    run(body)


def test_a_connection_that_is_not_made_in_time_is_a_failed_flow() -> None:
    """A host that does not answer holds nobody up for long."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            engine.outbox.append(Send(Flow("tcp", *address), HELLO))
            endpoint.pump()
            await until(lambda: engine.failures)
            assert "0.2 s" in engine.failures[0][1]
            for filler in fillers:
                filler.close()

    run(body, limits=StreamLimits(connect_within=0.2))


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"A" * 70000])
def test_what_is_not_sip_ends_its_connection_only(noise: bytes) -> None:
    """The stranger is hung up on; the phone beside it does not notice."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with connection(endpoint) as (reader, writer), connection(endpoint) as (from_us, to_us):
            to_us.write(noise)
            assert await _read_to_the_end(from_us) == b""
            writer.write(HELLO)
            assert await reader.readexactly(len(HELLO)) == HELLO

    run(body)


async def _read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def test_connections_from_one_address_are_limited() -> None:
    """One too many that all speak SIP is closed at once; when one ends there is room again."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with AsyncExitStack() as phones:
            first, second = [await phones.enter_async_context(connection(endpoint)) for _ in range(2)]
            for reader, writer in (first, second):
                writer.write(HELLO)
                assert await reader.readexactly(len(HELLO)) == HELLO
            third = await phones.enter_async_context(connection(endpoint))
            assert await _read_to_the_end(third[0]) == b""
            first[1].close()
            await until(lambda: engine.failures)
            reader, writer = await phones.enter_async_context(connection(endpoint))
            writer.write(HELLO)
            assert await reader.readexactly(len(HELLO)) == HELLO

    run(body, limits=StreamLimits(from_one_address=2))


@linux
def test_strangers_leave_room_for_peers() -> None:
    """Where strangers have as many connections as they may, a peer still has its own."""

    async def speaks(phones: AsyncExitStack, endpoint: Endpoint, host: str = "127.0.0.1") -> bool:
        reader, writer = await phones.enter_async_context(connection(endpoint, host=host))
        writer.write(HELLO)
        with suppress(ConnectionError):
            return await reader.read(len(HELLO)) == HELLO
        return False

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with AsyncExitStack() as phones:
            assert await speaks(phones, endpoint)
            assert not await speaks(phones, endpoint, "127.0.0.3")
            assert await speaks(phones, endpoint, "127.0.0.2")
            peers.add("127.0.0.1")
            assert await speaks(phones, endpoint, "127.0.0.4"), "the first is no stranger any more"

    peers = {"127.0.0.2"}
    run(body, limits=StreamLimits(strangers=1), known=peers.__contains__)


def test_a_connection_that_says_nothing_makes_room_for_a_newer_one() -> None:
    """Left-open connections of an address cannot keep its phones out."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with AsyncExitStack() as phones:
            speaks, silent = [await phones.enter_async_context(connection(endpoint)) for _ in range(2)]
            speaks[1].write(HELLO)
            assert await speaks[0].readexactly(len(HELLO)) == HELLO
            reader, writer = await phones.enter_async_context(connection(endpoint))
            assert await _read_to_the_end(silent[0]) == b""
            for from_us, to_us in (speaks, (reader, writer)):
                to_us.write(HELLO)
                assert await from_us.readexactly(len(HELLO)) == HELLO

    run(body, limits=StreamLimits(from_one_address=2))


@pytest.mark.parametrize("started", [b"", HELLO[:20], HELLO + HELLO[:20]])
def test_who_never_finishes_a_message_is_hung_up_on(started: bytes) -> None:
    """A connection that brings no message, or half of one, is not kept for long."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with connection(endpoint) as (reader, writer):
            writer.write(started)
            await _read_to_the_end(reader)

    run(body, limits=StreamLimits(finish_message_within=0.1, sweep_every=0.02))


def test_who_takes_nothing_is_cut_off() -> None:
    """What a peer does not read is kept up to a limit only."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with connection(endpoint, limit=1024) as (_, writer):
            writer.write(HELLO)
            await until(lambda: engine.received)
            flow = engine.received[0][1]
            while not engine.failures:
                engine.outbox.append(Send(flow, b"x" * 60000))
                endpoint.pump()
                await asyncio.sleep(0)
            assert "takes nothing more" in engine.failures[0][1]

    run(body, limits=StreamLimits(unsent=100_000))


# -- names ----------------------------------------------------------------------------------------------------------


def test_a_name_is_resolved_beside_the_loop_and_the_order_kept() -> None:
    """Messages wait for the address, then go out in their order; the next ones go at once."""
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["::1", "127.0.0.1"]

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            flow = Flow("udp", "phone.lan", phone.port)
            for n in range(3):
                engine.outbox.append(Send(flow, b"message %d" % n))
                endpoint.pump()
            assert [await phone.receive() for _ in range(3)] == [b"message 0", b"message 1", b"message 2"]
            engine.outbox.append(Send(flow, b"message 3"))
            endpoint.pump()
            assert await phone.receive() == b"message 3"
            assert asked == ["phone.lan"]
            assert endpoint.locate(flow).host == "127.0.0.1"

    run(body, [("udp", "127.0.0.1", 0)], lookup=lookup)


def test_localhost_is_resolved_by_the_system() -> None:
    """The look-up that ships works."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            engine.outbox.append(Send(Flow("udp", "localhost", phone.port), HELLO))
            endpoint.pump()
            assert await phone.receive() == HELLO

    run(body)


def test_an_unknown_name_is_a_failed_flow() -> None:
    """Told under the name, with the reason; a name at an address of a family we do not speak likewise."""

    def lookup(name: str) -> list[str]:
        if name == "v6.lan":
            return ["2001:db8::1"]
        raise OSError("Name or service not known")

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        for name, why in (("nowhere.lan", "not known"), ("v6.lan", "2001:db8::1")):
            engine.failures.clear()
            engine.outbox.append(Send(Flow("udp", name, 5060), HELLO))
            endpoint.pump()
            await until(lambda: engine.failures)
            ((flow, reason),) = engine.failures
            assert flow == Flow("udp", name, 5060) and why in reason and name in reason

    run(body, [("udp", "127.0.0.1", 0)], lookup=lookup)


def test_a_failure_is_told_under_the_name_too() -> None:
    """A connection that cannot be made to where a name led fails the flow that has the name."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            flow = Flow("tcp", "pbx.lan", probe.getsockname()[1])
        engine.outbox.append(Send(flow, HELLO))
        endpoint.pump()
        await until(lambda: flow in [failed for failed, _ in engine.failures])

    run(body, lookup=lambda name: ["127.0.0.1"])


# -- addresses ------------------------------------------------------------------------------------------------------


def test_peers_are_told_the_address_that_leads_to_us() -> None:
    """The route's address where we listen on all, the bound one where on one; the port of the transport's listener."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        (_, _, udp), (_, _, tcp), (_, _, other) = endpoint.addresses
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060)) == ("127.0.0.1", udp)
        assert endpoint.locate(Flow("tcp", "127.0.0.1", 5060)) == ("127.0.0.1", tcp)
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060, 2)) == ("127.0.0.2", other)
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060, 77)) == ("127.0.0.1", udp)

    run(body, [("udp", "0.0.0.0", 0), ("tcp", "127.0.0.1", 0), ("udp", "127.0.0.2", 0)])


def test_an_advertised_host_is_told_to_its_own_family_only() -> None:
    """An IPv4 address is no use to an IPv6 peer."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060)).host == "192.168.1.20"
        assert endpoint.locate(Flow("udp", "phone.lan", 5060)).host == "192.168.1.20"
        assert endpoint.source(Flow("udp", "127.0.0.1", 5060)) == "127.0.0.1"  # which tells interfaces apart
        assert ":" in endpoint.locate(Flow("udp", "::1", 5060)).host or not _has_ipv6()

    run(body, advertise="192.168.1.20")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_listener_in_use_is_named(transport: str) -> None:
    """The error says which listener and what to do; what was opened before is closed again."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        port = port_of(endpoint, transport)
        with Phone() as free:
            pass
        second = Endpoint(engine, [("udp", "127.0.0.1", free.port), (transport, "127.0.0.1", port)], None, engine.step)
        with pytest.raises(EndpointError, match=f"{transport}:127.0.0.1:{port} is in use"):
            await second.start()
        third = Endpoint(engine, [("udp", "127.0.0.1", free.port)], None, engine.step)
        await third.start()
        await third.close()

    run(body)


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        (("udp", "203.0.113.9", 0), "not an address of this machine"),
        (("udp", "no such host", 0), "must be an IP address"),
        (("sctp", "127.0.0.1", 0), "must be udp, tcp or tls"),
        (("tls", "127.0.0.1", 0), "needs a certificate"),
    ],
)
def test_a_listener_that_cannot_be_is_refused_with_words(listen: tuple[str, str, int], words: str) -> None:
    """The error says what was wrong and what would be right."""

    async def main() -> None:
        engine = Engine()
        with pytest.raises(EndpointError, match=words):
            await Endpoint(engine, [listen], None, engine.step).start()

    asyncio.run(main())


# -- steps and time -------------------------------------------------------------------------------------------------


def test_time_is_told_when_it_is_due() -> None:
    """One timer follows the engine's deadline: re-armed after each step, also when it comes earlier than before."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        engine.due = loop.time() + 1000.0
        endpoint.pump()
        due = engine.due = loop.time() + 0.03
        endpoint.pump()
        await until(lambda: engine.ticks)
        assert engine.ticks[0] >= due
        engine.due = loop.time() - 1.0
        endpoint.pump()
        await until(lambda: len(engine.ticks) == 2)

    run(body)


def test_a_pump_within_a_step_comes_after_it() -> None:
    """Who is told of a step may set the next thing going without being in the middle of this one."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            flow = Flow("udp", "127.0.0.1", phone.port)
            once = [True]

            def on_step() -> None:
                if once:
                    once.clear()
                    nested.pump()
                    engine.outbox.append(Send(flow, HELLO))

            nested = Endpoint(engine, [("udp", "127.0.0.1", 0)], None, on_step)
            await nested.start()
            nested.pump()
            assert await phone.receive() == HELLO
            await nested.close()

    run(body)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_bug_of_ours_comes_to_light(transport: str) -> None:
    """What the engine raises becomes the exception of `failed`, and the engine is not called any more."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        message = HELLO.replace(b"a@b", b"bug@b")
        port = port_of(endpoint, transport)
        if transport == "udp":
            with Phone() as phone:
                phone.socket.sendto(message + HELLO, ("127.0.0.1", port))
                phone.socket.sendto(HELLO, ("127.0.0.1", port))
                await until(endpoint.failed.done)
        else:
            async with connection(endpoint) as (_, writer):
                writer.write(message + HELLO)
                await until(endpoint.failed.done)
        with pytest.raises(ZeroDivisionError):
            await endpoint.failed
        engine.due = 0.0
        endpoint.pump()
        await asyncio.sleep(0)
        assert engine.received == [] and engine.ticks == []

    run(body)


def test_what_waits_at_the_end_is_still_sent() -> None:
    """Closing empties the outbox and flushes the connections."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        async with connection(endpoint) as (reader, writer):
            writer.write(HELLO)
            assert await reader.readexactly(len(HELLO)) == HELLO
            with Phone() as phone:
                flow = Flow("udp", "127.0.0.1", phone.port)
                engine.outbox += [Send(flow, HELLO), Send(engine.received[0][1], HELLO)]
                await endpoint.close()
                assert await phone.receive() == HELLO
                assert await reader.read() == HELLO

    run(body)
