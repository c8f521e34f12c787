"""The panel's pins and its USB line: the program that a Raspberry Pi Pico starts by itself.

It is to be copied as `main.py`. A key held while the Pico is plugged in keeps this program from starting, so that a new
one can be copied.
"""

import binascii
import os
import select
import sys
import time

import machine
import micropython

from hardware.firmware.device import Device
from hardware.firmware.pins import KEYS, LAMPS

READ_EVERY = 2  # ms
WATCHDOG = 5000  # ms without a round, and the panel starts anew


def run() -> None:
    """Be a panel for ever."""
    keys = [machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP) for pin in KEYS]
    lamps = [machine.Pin(pin, machine.Pin.OUT, value=0) for pin in LAMPS]
    time.sleep_ms(10)  # the pull-ups
    if read(keys):
        return
    micropython.kbd_intr(-1)  # what the bridge sends is no keyboard: Ctrl-C means nothing
    device = Device(
        binascii.hexlify(machine.unique_id()).decode(), len(KEYS), len(LAMPS), binascii.hexlify(os.urandom(4)).decode()
    )
    watchdog = machine.WDT(timeout=WATCHDOG)
    line = select.poll()
    line.register(sys.stdin, select.POLLIN)
    now, last, shown = 0, time.ticks_ms(), 0
    while True:
        watchdog.feed()
        ticks = time.ticks_ms()
        now, last = now + time.ticks_diff(ticks, last), ticks  # ticks begin anew after 12 days, now does not
        out = device.step(read(keys), received(line), now)
        if out:
            sys.stdout.buffer.write(out)
        lit = device.lamps(now)
        if lit != shown:
            shown = lit
            for index, lamp in enumerate(lamps):
                lamp.value(lit >> index & 1)
        time.sleep_ms(READ_EVERY)


def read(keys: "list[machine.Pin]") -> int:
    """Return the keys that are pressed, as a mask."""
    mask = 0
    for index, key in enumerate(keys):
        if not key.value():
            mask |= 1 << index
    return mask


def received(line: "select.poll", most: int = 128) -> bytes:
    """Return what has come over the line by now, not more than a round can do with."""
    data = bytearray()
    while len(data) < most and line.poll(0):
        data += sys.stdin.buffer.read(1)
    return bytes(data)


if __name__ == "__main__":
    run()
