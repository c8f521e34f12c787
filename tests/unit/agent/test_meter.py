"""The endpoint for numbers, asked by whoever means harm, on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from bridge.upkeep import meter
from bridge.upkeep.meter import CONNECTIONS_AT_MOST, Meter

REQUEST = b"GET /metrics HTTP/1.1\r\n\r\n"
LONG = 60.0


def serve(body: Callable[[Meter], Awaitable[None]], page: Callable[[], str] = lambda: "one 1\n", **more: Any) -> None:
    """Run a test's body beside a meter that is then closed, and that leaves nothing behind."""

    async def main() -> None:
        served = Meter("127.0.0.1", 0, page, **more)
        await served.start()
        async with asyncio.timeout(LONG):
            await body(served)
        await served.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def connect(to: Meter, room: int = 0) -> socket.socket:
    """Return a connection of a client; `room`: bytes that its kernel takes for it."""
    client = socket.socket()
    client.setblocking(False)
    if room:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", to.port))
    return client


async def rest(client: socket.socket) -> bytes:
    """Return what still comes until the connection is ended, however that is."""
    loop = asyncio.get_running_loop()
    heard = b""
    with client:
        try:
            while data := await loop.sock_recv(client, 65536):
                heard += data
        except ConnectionError:
            pass
    return heard


async def ask(to: Meter) -> bytes:
    """Ask for the page, and return all that is answered."""
    client = await connect(to)
    await asyncio.get_running_loop().sock_sendall(client, REQUEST)
    return await rest(client)


async def nothing(client: socket.socket) -> None:
    """Say nothing."""


async def drop_by_drop(client: socket.socket) -> None:
    """Send a byte now and then, for ever."""
    while True:
        await asyncio.get_running_loop().sock_sendall(client, b"x")
        await asyncio.sleep(0.02)


async def endless(client: socket.socket) -> None:
    """Send headers without end."""
    await asyncio.get_running_loop().sock_sendall(client, REQUEST[:-2])
    while True:
        await asyncio.get_running_loop().sock_sendall(client, b"X-More: x\r\n")


@pytest.mark.parametrize("says", [nothing, drop_by_drop, endless])
def test_a_request_that_never_ends(
    monkeypatch: pytest.MonkeyPatch, says: Callable[[socket.socket], Awaitable[None]]
) -> None:
    """Whoever says nothing, a byte now and then, or headers without end is cut off unheard."""
    monkeypatch.setattr(meter, "PATIENCE", 0.2)

    async def body(served: Meter) -> None:
        client = await connect(served)
        talk = asyncio.ensure_future(says(client))
        assert await rest(client) == b""
        talk.cancel()
        await asyncio.wait([talk])

    serve(body)


def test_an_answer_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that nobody takes is thrown away in time, with its connection, however long it is."""
    monkeypatch.setattr(meter, "PATIENCE", 0.2)

    async def body(served: Meter) -> None:
        client = await connect(served, room=1)
        await asyncio.get_running_loop().sock_sendall(client, REQUEST)
        while not served.open:
            await asyncio.sleep(0.01)
        while served.open:
            await asyncio.sleep(0.01)
        assert len(await rest(client)) < 20_000_000

    serve(body, lambda: "x" * 20_000_000)


def test_who_says_nothing_makes_room() -> None:
    """With every place taken by silence, who asks is answered; there are never more than the places."""

    async def body(served: Meter) -> None:
        silent = [await connect(served) for _ in range(5 * CONNECTIONS_AT_MOST)]
        assert b"one 1" in await ask(served)
        assert served.open <= CONNECTIONS_AT_MOST
        assert await rest(silent[0]) == b""
        for each in silent:
            each.close()
        while served.open:
            await asyncio.sleep(0.01)

    serve(body)


def test_who_has_asked_is_not_sent_away() -> None:
    """While all places are taken by who waits for an answer, the next one is refused, and they wait on."""

    async def body(served: Meter) -> None:
        await ask(served)
        waiting = [asyncio.ensure_future(ask(served)) for _ in range(CONNECTIONS_AT_MOST)]
        while served.open < CONNECTIONS_AT_MOST or served.silent:
            await asyncio.sleep(0.01)
        assert await ask(served) == b""
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    serve(body, spent=count(step=LONG).__next__)  # so that the second page is not due for long


def test_pages_take_their_share_alone() -> None:
    """However often the page is asked for, making it takes no more of the core than its share; each gets its own."""
    made = count()

    async def body(served: Meter) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        answers = await asyncio.gather(*(ask(served) for _ in range(4)))
        assert loop.time() - begun >= 3 * 0.02 / meter.SHARE
        assert len({*answers}) == 4

    serve(body, lambda: f"one {next(made)}\n", spent=count(step=0.02).__next__)
