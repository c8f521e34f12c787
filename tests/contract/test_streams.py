"""The endpoint's TCP connections: made once, cut into messages, limited, and given up."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, suppress

import pytest

from bridge.sip.endpoint import Endpoint
from bridge.sip.endpoint.streams import StreamLimits
from bridge.sip.flow import Flow, Send
from tests.support.sockets import (
    HELLO,
    Engine,
    connection,
    linux,
    run,
    until,
)

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
