"""The pin tables: what the drawings are made from, and what the configuration has to say to go with them."""

from __future__ import annotations

from typing import NamedTuple

HEADER = (
    *("3V3", "5V", "GPIO 2", "5V", "GPIO 3", "GND", "GPIO 4", "GPIO 14", "GND", "GPIO 15"),
    *("GPIO 17", "GPIO 18", "GPIO 27", "GND", "GPIO 22", "GPIO 23", "3V3", "GPIO 24", "GPIO 10", "GND"),
    *("GPIO 9", "GPIO 25", "GPIO 11", "GPIO 8", "GND", "GPIO 7", "GPIO 0", "GPIO 1", "GPIO 5", "GND"),
    *("GPIO 6", "GPIO 12", "GPIO 13", "GND", "GPIO 19", "GPIO 16", "GPIO 26", "GPIO 20", "GND", "GPIO 21"),
)
"""A Raspberry Pi's header: what is at the pins 1 to 40; odd ones are in the column nearer to the processor."""

PICO = (
    *("GP0", "GP1", "GND", "GP2", "GP3", "GP4", "GP5", "GND", "GP6", "GP7"),
    *("GP8", "GP9", "GND", "GP10", "GP11", "GP12", "GP13", "GND", "GP14", "GP15"),
    *("GP16", "GP17", "GND", "GP18", "GP19", "GP20", "GP21", "GND", "GP22", "RUN"),
    *("GP26", "GP27", "GND", "GP28", "VREF", "3V3", "EN", "GND", "VSYS", "VBUS"),
)
"""A Pico's pins 1 to 40: 1 to 20 down the left side, 21 to 40 up the right one."""


class Desk(NamedTuple):
    """One desk's button and lamp (BCM numbers), and the pin of the header for their ground."""

    name: str
    button: int
    lamp: int
    ground: int


DESKS = (
    Desk("anna", button=17, lamp=27, ground=9),
    Desk("ben", button=23, lamp=24, ground=14),
    Desk("cara", button=19, lamp=26, ground=39),
    Desk("dan", button=12, lamp=16, ground=34),
)
"""Each desk's three wires are next to each other at the header, on one side of it."""

SETS = (1, 2, 4)
"""For how many desks there is a drawing."""


def pin_of(label: str) -> int:
    """Return the pin of the header, from 1, at which something is."""
    return HEADER.index(label) + 1


def column_and_row(pin: int) -> tuple[int, int]:
    """Return where a pin of the header is: column 0 (odd) or 1 (even), row from 0."""
    return (pin - 1) % 2, (pin - 1) // 2
