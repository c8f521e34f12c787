"""Commands that are delivered twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.commands.model import OWNER, LoginCommand, LoginVerb, Reply
from bridge.directory.logins import Origin
from bridge.port.transactions import AT_MOST, REMEMBERED, Transactions
from tests.support.office import ANNA

COMMAND = LoginCommand(LoginVerb.TOGGLE, "support", "anna")
KEY = (OWNER, Origin.MQTT, "str:1")


def on_loop(work: Callable[[], None]) -> None:
    """Do `work` where futures can be made."""

    async def whole() -> None:
        work()

    asyncio.run(whole())


def reply() -> asyncio.Future[Reply]:
    """Return the promise of a reply."""
    return asyncio.get_running_loop().create_future()


def test_remembered_for_a_minute() -> None:
    """A transaction is found for a minute, and is new after it."""

    def work() -> None:
        seen, promise = Transactions(), reply()
        assert seen.find(KEY, COMMAND, 0.0) is None
        seen.add(KEY, COMMAND, promise, 0.0)
        assert seen.find(KEY, COMMAND, REMEMBERED - 0.1) is promise
        assert seen.find(KEY, COMMAND, REMEMBERED) is None

    on_loop(work)


def test_actors_and_doors_are_apart() -> None:
    """The same words from another actor or through another door are another transaction."""

    def work() -> None:
        seen = Transactions()
        seen.add(KEY, COMMAND, reply(), 0.0)
        assert seen.find((ANNA, Origin.MQTT, "str:1"), COMMAND, 1.0) is None
        assert seen.find((OWNER, Origin.CONTROL, "str:1"), COMMAND, 1.0) is None

    on_loop(work)


def test_bounded() -> None:
    """However many there are, only so many are remembered, the latest."""

    def work() -> None:
        seen, (actor, origin, _) = Transactions(), KEY
        for number in range(AT_MOST + 10):
            seen.add((actor, origin, str(number)), COMMAND, reply(), 0.0)
        assert seen.find((actor, origin, "9"), COMMAND, 1.0) is None
        assert seen.find((actor, origin, "10"), COMMAND, 1.0) is not None

    on_loop(work)
