"""The panel's firmware under real MicroPython, against the bridge's end under this Python."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from hardware.panel_link import Moved
from hardware.panel_protocol import write
from hardware.patterns import PATTERNS, lit
from tests.support.micropython import MicroPython
from tests.support.panels import Line, Stepped, losing

PROGRAM = """
import json, binascii, sys
from hardware import panel_protocol
from hardware.patterns import PATTERNS, lit
from hardware.firmware.device import Device

device = None

def step(pressed, received, now):
    global device
    if device is None:
        device = Device("pico", 8, 8, "b00t")
    out = device.step(pressed, binascii.unhexlify(received), now)
    return [binascii.hexlify(out).decode(), device.lamps(now), device.deadline(now)]

def write(seq, verb, fields):
    return panel_protocol.write(seq, verb, [tuple(pair) for pair in fields]).decode()

def feed(data):
    lines = panel_protocol.Lines()
    return [[f.seq, f.verb, sorted(f.fields.items())] for f in lines.feed(binascii.unhexlify(data))]

def name():
    return sys.implementation.name

def show(signal, started, now):
    return lit(signal, started, now)

def serve(line):
    what, *arguments = json.loads(line)
    return json.dumps(globals()[what](*arguments))
"""


@pytest.fixture
def micropython() -> Iterator[MicroPython]:
    """Run the panel's program."""
    with MicroPython(PROGRAM) as running:
        assert running.call("name") == "micropython"
        yield running


def panel(running: MicroPython, pressed: int, received: bytes, now: int) -> Stepped:
    """Take a step of the firmware."""
    out, mask, due = running.call("step", pressed, received.hex(), now)
    return Stepped(bytes.fromhex(out), mask, due)


def test_a_thousand_presses_at_five_percent_loss_are_each_told_once(micropython: MicroPython) -> None:
    """The real firmware on a line that loses a frame in twenty, both ways; lamps show the truth in the end."""
    rng = random.Random(20261123)
    line = Line(lambda *step: panel(micropython, *step), losing(0.05, rng))
    line.run(8000)
    expected = []
    shown = {lamp: "off" for lamp in range(1, 9)}
    for _ in range(1000):
        key, lamp = rng.randint(1, 8), rng.randint(1, 8)
        expected += [(key, True), (key, False)]
        shown[lamp] = rng.choice(("steady", "off"))
        line.show(lamp, shown[lamp])
        line.press(key, rng.randint(40, 300), rng.randint(100, 400))
    line.run(5000)
    assert [(m.key, m.pressed) for m in line.of(Moved) if isinstance(m, Moved)] == expected
    assert line.lit == sum(1 << lamp - 1 for lamp, signal in shown.items() if signal == "steady")


def test_both_pythons_write_and_read_the_same(micropython: MicroPython) -> None:
    """Frames with one wrong bit are refused there as here; what one writes the other reads."""
    fields = (("key", 3), ("age", 40), ("down", "ff"))
    frame = write(12, "down", fields)
    assert micropython.call("write", 12, "down", fields).encode() == frame
    whole = [12, "down", [["age", "40"], ["down", "ff"], ["key", "3"]]]
    assert micropython.call("feed", frame.hex()) == [whole]
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert micropython.call("feed", (bytes(damaged) + b"\n" + frame).hex()) == [whole]


def test_signals_look_the_same_on_both_sides(micropython: MicroPython) -> None:
    """Each pattern, every 70 ms for three seconds."""
    for signal in PATTERNS:
        for now in range(1000, 4000, 70):
            assert micropython.call("show", signal, 1000, now) is lit(signal, 1000, now)


def test_garbage_does_not_end_the_firmware(micropython: MicroPython) -> None:
    """Bytes of every value, zeros, Ctrl-C, half frames: the panel goes on and is found."""
    rng = random.Random(7)
    for now in range(100):
        panel(micropython, 0, rng.randbytes(200), now)
    out = panel(micropython, 0, b"\x03\x00\n" + write(0, "who"), 101).out
    assert out.startswith(b"0 hello proto=1 fw=1.0 id=pico keys=8 lamps=8 boot=b00t ")
