"""The endpoint on real loopback sockets: its steps, its time, and its end."""

from __future__ import annotations

import asyncio

import pytest

from bridge.sip.endpoint import Endpoint
from bridge.sip.flow import Flow, Send
from tests.support.sockets import (
    HELLO,
    Engine,
    Phone,
    connection,
    port_of,
    run,
    until,
)

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
