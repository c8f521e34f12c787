"""The thread that waits for the disk."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bridge.store.thread import StoreThread


def test_work_is_done_elsewhere_in_order() -> None:
    """Jobs are done on one other thread, in their order, and their results come back."""

    async def whole() -> None:
        thread, seen = StoreThread("t"), []

        def work(number: int) -> int:
            seen.append((number, threading.current_thread().name))
            return number

        done = await asyncio.gather(*(thread.do(lambda n=n: work(n)) for n in range(20)))  # type: ignore[misc]
        assert done == list(range(20))
        assert seen == [(n, "t") for n in range(20)]
        await thread.close(lambda: None)

    asyncio.run(whole())


def test_the_loop_goes_on_meanwhile() -> None:
    """While a job waits, the loop does other things."""

    async def whole() -> None:
        thread, released = StoreThread("t"), threading.Event()
        waiting = asyncio.ensure_future(thread.do(lambda: released.wait(10)))
        await asyncio.sleep(0)
        released.set()  # reached only because the loop is free
        assert await waiting
        await thread.close(lambda: None)

    asyncio.run(whole())


def test_errors_come_back_to_who_asked() -> None:
    """What a job raises is raised where it was asked for, and the next job is done."""

    async def whole() -> None:
        thread = StoreThread("t")
        with pytest.raises(ZeroDivisionError):
            await thread.do(lambda: 1 // 0)
        assert await thread.do(lambda: 1) == 1
        await thread.close(lambda: None)

    asyncio.run(whole())


def test_who_stops_waiting_does_not_stop_the_work() -> None:
    """A cancelled wait leaves the job to be done; closing waits for it."""

    async def whole() -> None:
        thread, go, done = StoreThread("t"), threading.Event(), []
        waiting = asyncio.ensure_future(thread.do(lambda: done.append(go.wait(10))))
        await asyncio.sleep(0)
        waiting.cancel()
        go.set()
        await thread.close(lambda: done.append(False))
        assert done == [True, False]
        with pytest.raises(RuntimeError):
            await thread.do(lambda: None)
        await thread.close(lambda: None)

    asyncio.run(whole())
