"""Lamps of queues: who waits, and who is in wrap-up."""

from __future__ import annotations

import asyncio

from bridge.calls.status import CallStatus
from bridge.desk.model import DeskSettings
from bridge.events import CallerWaits, GroupCall, WrapUp
from tests.support.clock import run_virtual
from tests.support.desks import button, lamp, room
from tests.support.office import NOW

WAITING = DeskSettings("anna", "anna", (button(17, "toggle support"),), (lamp(27, "waiting support"),))
LOGIN = DeskSettings("anna", "anna", (button(17, "toggle support"),), (lamp(27, "login support"),))
STEADY, DARK = "#" * 80, "." * 80


def test_a_lamp_is_lit_while_somebody_waits() -> None:
    """From the moment a caller comes to the queue until the last one is served or gone."""

    async def scene() -> None:
        async with room(WAITING) as here:
            assert await here.look(27) == DARK
            here.bureau.telephony.up = [CallStatus("1", "waiting", "555", "", "600", "support", NOW)]
            here.bureau.port.publish(CallerWaits(NOW, "support", "1", "555", "", 1, 1, None))
            await asyncio.sleep(0.05)
            assert await here.look(27) == STEADY
            here.bureau.telephony.up = []
            here.bureau.port.publish(GroupCall(NOW, "abandoned", "support", "1", "555", ""))
            await asyncio.sleep(0.05)
            assert await here.look(27) == DARK

    run_virtual(scene())


def test_wrap_up_blinks_as_a_pause_does() -> None:
    """Slowly, for who is logged in; then the lamp is steady again."""

    async def scene() -> None:
        async with room(LOGIN) as here:
            await here.press(17)
            assert await here.look(27) == STEADY
            here.bureau.telephony.wrapping["anna"] = NOW + 10
            here.bureau.port.publish(WrapUp(NOW, "support", "anna", NOW + 10))
            await asyncio.sleep(0.05)
            blinking = await here.look(27)
            assert "#" in blinking and "." in blinking
            here.bureau.telephony.wrapping.clear()
            here.bureau.port.publish(WrapUp(NOW, "support", "anna", None))
            await asyncio.sleep(0.05)
            assert await here.look(27) == STEADY

    run_virtual(scene())
