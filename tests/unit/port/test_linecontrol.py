"""The command path for lines: settings are kept before they are told; orders are answered by the exchange."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.calls.ordered.orders import Answer, Order
from bridge.commands.model import OWNER, LineCommand, LineVerb, Reply
from bridge.directory.handling import When
from bridge.directory.logins import Origin
from bridge.events import CommandRefused, Event, HandlingChanged
from bridge.store.logins import LoginStore
from tests.support.disk import Disk, serving
from tests.support.office import ANNA, BEN, NOW, office


def test_a_diversion_is_kept_and_told(tmp_path: Path) -> None:
    """Written, applied, told; and there again at the next start."""

    async def work() -> None:
        events: list[Event] = []
        async with serving(Disk(tmp_path / "logins.db"), office(), events.append) as port:
            command = LineCommand(LineVerb.DIVERT, number="202", when=When.NO_ANSWER, after=12.0)
            assert (await port.submit(command, ANNA, Origin.MQTT)).ok
            assert (await port.submit(LineCommand(LineVerb.DND, on=True), ANNA, Origin.BUTTON)).ok
            handling = port.handlings.get("anna")
            assert (handling.no_answer, handling.after, handling.dnd) == ("202", 12.0, True)
            told = [event for event in events if isinstance(event, HandlingChanged)]
            assert [(event.line, event.by, event.origin) for event in told] == [
                ("anna", "anna", "mqtt"),
                ("anna", "anna", "button"),
            ]
        store = LoginStore(tmp_path / "logins.db", lambda: NOW)
        await store.open()
        assert dict(await store.handlings()) == {"anna": handling}
        await store.close()
        async with serving(Disk(tmp_path / "logins.db"), office()) as port:
            assert port.handlings.get("anna") == handling

    asyncio.run(work())


def test_what_cannot_be_kept_is_not_so(tmp_path: Path) -> None:
    """A full disk: refused, and nothing has changed."""

    async def work() -> None:
        disk = Disk(tmp_path / "logins.db")
        async with serving(disk, office()) as port:
            disk.broken = True
            reply = await port.submit(LineCommand(LineVerb.DND, on=True), ANNA, Origin.BUTTON)
            assert reply.code == "store_failed" and not port.handlings.get("anna").dnd

    asyncio.run(work())


def test_an_order_is_answered_by_the_exchange(tmp_path: Path) -> None:
    """Then or later; its refusal is an event like any other."""

    async def work() -> None:
        events: list[Event] = []
        orders: list[tuple[Order, Answer]] = []
        async with serving(Disk(tmp_path / "logins.db"), office(), events.append) as port:
            command = LineCommand(LineVerb.HOLD)
            assert (await port.submit(command, ANNA, Origin.MQTT)).code == "unavailable", "no exchange stands yet"
            port.carry = lambda order, answer: orders.append((order, answer))
            asked = asyncio.create_task(port.submit(command, ANNA, Origin.MQTT))
            other = asyncio.create_task(port.submit(LineCommand(LineVerb.HANGUP, line="ben"), OWNER, Origin.CONTROL))
            while len(orders) < 2:
                await asyncio.sleep(0)
            assert not asked.done()
            (first, answer), (second, refuse) = orders
            assert (first.verb, first.line, first.by, first.origin) == (LineVerb.HOLD, "anna", "anna", "mqtt")
            answer(Reply({"call": "c1"}))
            refuse(Reply(code="no_call", message="line ben is in no call"))
            assert (await asked).data == {"call": "c1"} and (await other).code == "no_call"
            assert second.line == "ben"
            told = [event for event in events if isinstance(event, CommandRefused)]
            assert [(event.verb, event.code, event.member) for event in told][-1] == ("hangup", "no_call", "ben")

    asyncio.run(work())


def test_who_may_not_never_reaches_the_exchange(tmp_path: Path) -> None:
    """Authorisation comes first."""

    async def work() -> None:
        async with serving(Disk(tmp_path / "logins.db"), office()) as port:
            port.carry = lambda order, answer: answer(Reply({"reached": True}))
            reply = await port.submit(LineCommand(LineVerb.HANGUP, line="anna"), BEN, Origin.MQTT)
            assert reply.code == "not_allowed" and "anna" in reply.message

    asyncio.run(work())
