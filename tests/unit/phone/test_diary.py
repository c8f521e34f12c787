"""Waiting for what happens."""

import asyncio

from bridge.phone.diary import Diary, Entry


def test_what_has_happened_is_found_and_what_is_to_come_is_waited_for() -> None:
    """The first that is wanted, from a place on, whether it is there or still comes."""

    async def work() -> None:
        diary: Diary[str] = Diary()
        diary.note("rings", 1.0)
        assert await diary.until(lambda what: what == "rings", 0.0) == Entry(1.0, "rings")
        asyncio.get_running_loop().call_soon(diary.note, "noise", 2.0)
        asyncio.get_running_loop().call_later(0.01, diary.note, "rings", 3.0)
        since = len(diary)
        both = [diary.until(lambda what: what == "rings", 5.0, since) for _ in range(2)]
        assert await asyncio.gather(*both) == [Entry(3.0, "rings")] * 2
        assert diary.find(lambda what: what == "over") is None

    asyncio.run(work())


def test_what_does_not_come_is_none() -> None:
    """After the given time; whoever gave up before leaves nothing behind that a later note would stumble over."""

    async def work() -> None:
        diary: Diary[str] = Diary()
        assert await diary.until(lambda what: True, 0.01) is None
        waiting = asyncio.create_task(diary.until(lambda what: True, 5.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        diary.note("late", 1.0)
        assert len(diary) == 1

    asyncio.run(work())
