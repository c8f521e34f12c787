"""The panel's main program under real MicroPython, with a Pico's pins and clock played by a few lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hardware.firmware.pins import LAMPS
from hardware.panel_protocol import write
from tests.support.micropython import MicroPython

PROGRAM = """
import binascii, json, sys

now = 0           # ms
levels = {}       # what is outside pulls at the pins
outputs = {}
fed = []
interrupt = []
sent = bytearray()
incoming = bytearray()
script = []

class Over(Exception):
    pass

class Pin:
    IN, OUT, PULL_UP = range(3)
    def __init__(self, number, mode, pull=None, value=None):
        self.number, self.mode, self.pull = number, mode, pull
        if mode == Pin.OUT:
            outputs[number] = value
    def value(self, level=None):
        if level is None:
            return levels.get(self.number, 1 if self.pull == Pin.PULL_UP else 0)
        outputs[self.number] = level

class WDT:
    def __init__(self, timeout):
        fed.append(timeout)
    def feed(self):
        fed.append(now)

class Machine:
    pass

class Time:
    def sleep_ms(self, milliseconds):
        global now
        now += milliseconds
        while script and script[0][0] <= now:
            _, what, value = script.pop(0)
            if what == "end":
                raise Over()
            if what == "hear":
                incoming.extend(binascii.unhexlify(value))
            else:
                levels[what] = value
    def ticks_ms(self):
        return (now + 2 ** 30 - 500) % 2 ** 30   # begins anew half a second after the start
    def ticks_diff(self, a, b):
        return (a - b + 2 ** 29) % 2 ** 30 - 2 ** 29

class Stream:
    def read(self, size):
        taken = bytes(incoming[:size])
        incoming[:] = incoming[size:]
        return taken
    def write(self, data):
        sent.extend(data)

class File:
    buffer = Stream()

class Sys:
    stdin = stdout = File()

class Poll:
    def register(self, what, events):
        pass
    def poll(self, milliseconds):
        return [1] if incoming else []

class Select:
    POLLIN = 1
    poll = Poll

class Micro:
    def kbd_intr(self, key):
        interrupt.append(key)

machine = Machine()
machine.Pin, machine.WDT, machine.unique_id = Pin, WDT, lambda: b"\\xe6\\x61"
sys.modules["machine"], sys.modules["select"] = machine, Select()
import hardware.firmware.main as main
class Os:
    def urandom(self, count):
        return b"\\xb0\\x07\\xb0\\x07"

main.os = Os()
main.time, main.sys, main.select, main.micropython = Time(), Sys(), Select(), Micro()

def serve(line):
    script.extend(json.loads(line)[0])
    try:
        main.run()
        ended = "by itself"
    except Over:
        ended = "by the script"
    longest = max([b - a for a, b in zip(fed[1:], fed[2:])]) if len(fed) > 2 else None
    return json.dumps([ended, sent.decode(), outputs, interrupt, fed[:1], longest])
"""


@pytest.fixture
def micropython() -> Iterator[MicroPython]:
    """Put the program onto a Pico that is not there."""
    with MicroPython(PROGRAM) as running:
        yield running


def test_a_pico_says_hello_lights_lamps_and_tells_keys(micropython: MicroPython) -> None:
    """Pins as in the tables: the first key at 2, the first lamp at 16; the watchdog is fed each round; time goes on
    where the Pico's clock begins anew; Ctrl-C is no interrupt.
    """
    welcome = write(0, "welcome", (("proto", 1), ("boot", "b007b007")))
    lamp = write(1, "lamp", (("n", 1), ("show", "steady")))
    script = [
        [100, "hear", (b"\x03\x03 noise\n" + welcome + lamp).hex()],
        [300, 2, 0],
        [400, "hear", write(1, "ack", (("boot", "b007b007"),)).hex()],
        [450, 2, 1],
        [700, "end", 0],
    ]
    ended, sent, outputs, interrupt, watchdog, longest = micropython.call(script)
    assert (ended, interrupt, watchdog) == ("by the script", [-1], [5000])
    assert longest <= 10
    hello, acknowledged, down, up = [line for line in sent.splitlines() if " beat " not in line]
    assert hello.startswith("0 hello proto=1 fw=1.0 id=e661 keys=8 lamps=8 boot=b007b007 seq=0 down=0*")
    assert acknowledged.startswith("1 ack*")
    assert down.startswith("1 down key=1 age=2")
    assert "0 beat down=1*" in sent, "the key was held"
    assert up.startswith("2 up key=1 age=2")
    assert outputs == {"16": 1, **{str(pin): 0 for pin in LAMPS[1:]}}


def test_a_key_that_is_held_at_the_start_leaves_the_pico_to_whoever_copies_a_program(micropython: MicroPython) -> None:
    """No watchdog is started, nothing is sent."""
    ended, sent, _, interrupt, watchdog, _ = micropython.call([[0, 2, 0], [1000, "end", 0]])
    assert (ended, sent, interrupt, watchdog) == ("by itself", "", [], [])
