"""Whether the wall's clock is right, and when that is noticed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.clock import Clock, kernel_says_so, ran_while_off
from tests.support.clock import run_virtual

LATER = 4_000_000_000.0  # UTC seconds, after this was written


def real_time_clock(directory: Path, text: str) -> Path:
    """Return a directory of clocks, as Linux shows them, with one that says this."""
    (directory / "rtc0").mkdir()
    (directory / "rtc0" / "since_epoch").write_text(text)
    return directory


def test_the_kernel_can_be_asked() -> None:
    """adjtimex(2) with nothing to change needs no rights and says yes or no."""
    assert kernel_says_so() in (True, False)


@pytest.mark.parametrize(
    ("says", "believed"), [("4000000002\n", True), ("3999999000\n", False), ("60\n", False), ("", False)]
)
def test_a_clock_with_a_battery_agrees_with_the_wall(tmp_path: Path, says: str, believed: bool) -> None:
    """A real-time clock without a battery begins at 1970 with each boot, and is not believed."""
    assert ran_while_off(real_time_clock(tmp_path, says), LATER, "aarch64") is believed


def test_a_pi_has_none(tmp_path: Path) -> None:
    """No real-time clock, no belief; a PC always has one."""
    assert not ran_while_off(tmp_path, LATER, "armv7l")
    assert ran_while_off(tmp_path, LATER, "x86_64")


def test_a_time_before_this_was_written_is_never_right(tmp_path: Path) -> None:
    """Whatever the machine."""
    assert not ran_while_off(real_time_clock(tmp_path, "1000\n"), 1000.0, "x86_64")


def test_it_is_looked_at_until_it_is_right_and_then_no_more() -> None:
    """Every 5 s while it is wrong; what was right once stays right."""

    async def scene() -> None:
        looks: list[float] = []
        told: list[float] = []
        loop = asyncio.get_running_loop()
        began = loop.time()

        def look() -> bool:
            looks.append(loop.time() - began)
            return loop.time() - began > 12

        watched = Clock(lambda: told.append(loop.time() - began), look)
        watched.start()
        right = [watched.synchronised]
        await asyncio.sleep(60)
        right.append(watched.synchronised)
        assert (looks, told, right) == ([0.0, 5.0, 10.0, 15.0], [15.0], [False, True])
        watched.close()

    run_virtual(scene())


def test_a_setting_is_told_at_once() -> None:
    """The kernel's word arrives as something to read; the clock may be right from then on."""

    async def scene() -> None:
        told = asyncio.Event()
        right = False
        watched = Clock(told.set, lambda: right)
        watched.start()
        right = True
        watched._on_set()
        assert told.is_set() and watched.synchronised
        watched.close()

    asyncio.run(scene())


def test_the_kernel_lets_settings_be_watched() -> None:
    """timerfd_create(2) with TFD_TIMER_CANCEL_ON_SET needs no rights; nothing can be read while nobody sets it."""

    async def scene() -> None:
        called: list[None] = []
        watched = Clock(lambda: called.append(None), lambda: True)
        watched.start()
        assert watched._fd is not None
        await asyncio.sleep(0.05)
        watched.close()
        assert called == []

    asyncio.run(scene())
