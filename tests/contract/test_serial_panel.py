"""What may go wrong at a serial device, on real pseudo terminals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import serial

from hardware.panel_protocol import write
from hardware.serial_panel import SerialPanel
from tests.contract.test_panels import until
from tests.support.panels import Ear
from tests.support.ptypanel import PtyPanel

SOON = 0.05


@pytest.fixture
def far(tmp_path: Path) -> Any:
    """Return a panel at its place that is not plugged in."""
    panel = PtyPanel(tmp_path / "usb-panel")
    yield panel
    panel.pull()


def play(panel: SerialPanel, scene: Callable[[SerialPanel, Ear], Coroutine[Any, Any, None]]) -> None:
    """Start the bridge's side, play a scene, end it."""

    async def run() -> None:
        ear = Ear()
        panel.start(ear)
        try:
            await scene(panel, ear)
        finally:
            panel.close()

    asyncio.run(run())


def test_a_panel_may_be_plugged_in_after_the_bridge_has_started(far: PtyPanel) -> None:
    """It is looked for; what is missing is told once, however often it is looked for."""

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.gone, "told")
        await asyncio.sleep(0.1)  # in which it is looked for several times
        assert ear.gone == ["it is not plugged in"]
        far.plug()
        await until(lambda: ear.here, "the panel is there")

    play(SerialPanel(str(far.path), SOON), scene)


def test_a_device_that_another_program_has_is_told_and_taken_when_it_is_free(far: PtyPanel) -> None:
    """A terminal program on the panel's line."""
    far.plug()
    other = serial.Serial(str(far.path), exclusive=True)

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.gone, "told")
        assert ear.gone == ["another program has it open; end that"]
        other.close()
        await until(lambda: ear.here, "the panel is there")

    play(SerialPanel(str(far.path), SOON), scene)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("file", "it is no serial device; name one of /dev/serial/by-id"),
        ("directory", "it cannot be opened ([Errno 21] could not open port"),
    ],
)
def test_what_is_no_serial_device_is_told(place: str, said: str, tmp_path: Path) -> None:
    """In words, and the bridge goes on."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "directory").mkdir()

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.gone, "told")
        assert ear.gone[0].startswith(said)

    play(SerialPanel(str(tmp_path / place), SOON), scene)


def test_pulled_in_mid_line(far: PtyPanel) -> None:
    """Half a frame, and the rest of another after the panel is back: neither is acted on, and the next press is."""
    far.plug()
    whole = write(1, "down", (("key", 1), ("age", 0)))

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.here, "here")
        far.say(whole[:9])
        await asyncio.sleep(0.05)
        far.pull()
        await until(lambda: ear.gone, "gone")
        far.plug()
        far.say(whole[9:])
        await until(lambda: len(ear.here) > 1, "here again")
        assert ear.moves == []
        far.move(2, True)
        await until(lambda: ear.moves, "pressed")
        assert ear.moves[0][:2] == (2, True)

    play(SerialPanel(str(far.path), SOON), scene)


def test_garbage_between_frames_is_skipped(far: PtyPanel) -> None:
    """Bytes of every value, a line without end: the next press is told all the same, once."""
    far.plug()

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.here, "here")
        for key in range(1, 6):
            far.say(bytes(range(256)) * 3 + b"\n" * (key % 2))
            far.move(key, True)
            await until(lambda key=key: len(ear.moves) == key, "told")  # type: ignore[misc]
        assert [move[:2] for move in ear.moves] == [(key, True) for key in range(1, 6)]

    play(SerialPanel(str(far.path), SOON), scene)


def test_a_line_that_spams_is_read_at_a_bounded_pace(far: PtyPanel) -> None:
    """A megabyte that is pushed as fast as it goes costs little: the processor is nearly idle."""
    far.plug()

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.here, "here")
        far.say(b"spam spam spam\n" * 70_000)
        await asyncio.sleep(0.2)
        cpu, began = time.thread_time(), time.monotonic()
        while time.monotonic() - began < 1.5:
            await asyncio.sleep(0.01)
        assert time.thread_time() - cpu < 0.5
        assert ear.gone == []

    play(SerialPanel(str(far.path), SOON), scene)


def test_who_does_not_read_is_let_go_and_the_bridge_is_not_held_up(far: PtyPanel) -> None:
    """Lamps that change ten thousand times at a panel that hangs: bounded memory, no waiting."""
    far.plug()

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.here, "here")
        far.freeze(True)
        began = time.monotonic()
        for number in range(10_000):
            panel.show(1, "steady" if number % 2 else "off")
            if ear.gone:
                break
        assert ear.gone == ["it does not read what it is sent"]
        assert time.monotonic() - began < 10
        far.freeze(False)
        await until(lambda: len(ear.here) > 1, "here again")

    play(SerialPanel(str(far.path), SOON), scene)


def test_another_version_is_told_clearly(far: PtyPanel) -> None:
    """What it speaks, what this bridge speaks, what to do."""
    far.plug()

    async def scene(panel: SerialPanel, ear: Ear) -> None:
        await until(lambda: ear.here, "here")
        far.say(write(0, "hello", (("proto", 7), ("fw", "9.9"))))
        await until(lambda: ear.gone, "told")
        assert ear.gone == [
            "it speaks version 7 of the panel protocol, this bridge 1; copy hardware/firmware of this bridge to it"
        ]

    play(SerialPanel(str(far.path), SOON), scene)
