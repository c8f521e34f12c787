"""Draws how everything is wired, from the pin tables: `python -m hardware.wiring.draw` writes the SVG files beside it.

With `--check` it writes nothing and tells whether the files are what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hardware.firmware.pins import KEYS, LAMPS
from hardware.pins import caution
from hardware.wiring.svg import AVOID, BUTTON, FAINT, GROUND, LAMP, PAPER, POWER, SHADE, Point, Sheet
from hardware.wiring.tables import DESKS, HEADER, PICO, SETS, Desk, column_and_row, pin_of

HERE = Path(__file__).parent
PITCH = 27.0  # between the rows of the header
TOP = 108.0  # where its first row is
LEFT, RIGHT = 470.0, 504.0  # its columns
LANE = 56.0  # between the wires at a desk
FAR = 400.0  # from the header to the far end of a desk


def drawings() -> dict[str, str]:
    """Return every drawing by its file's name."""
    made = {f"desks-{count}.svg": desks(count) for count in SETS}
    return {**made, "long-cable.svg": long_cable(), "three-colours.svg": three_colours(), "panel.svg": panel()}


def desks(count: int) -> str:
    """Draw a Raspberry Pi's header with the first desks of the table."""
    people = "one desk" if count == 1 else f"{count} desks"
    sheet = Sheet(974, 742, f"Raspberry Pi, {people}", "each desk with a ground wire of its own; cables up to 30 cm")
    used: dict[int, str] = {}
    for desk in DESKS[:count]:
        used |= {pin_of(f"GPIO {desk.button}"): BUTTON, pin_of(f"GPIO {desk.lamp}"): LAMP, desk.ground: GROUND}
    for desk in DESKS[:count]:
        _desk(sheet, desk)
    _header(sheet, used)
    _legend(sheet, 716)
    return sheet.text


def _header(sheet: Sheet, used: dict[int, str]) -> None:
    sheet.box(LEFT - 24, TOP - 22, RIGHT - LEFT + 48, 20 * PITCH + 17, "#23303c", radius=6)
    for pin, label in enumerate(HEADER, 1):
        x, y = _pin(pin)
        colour = used.get(pin) or _unused(label)
        sheet.dot((x, y), colour, 8.5, PAPER if pin in used else "none")
        sheet.write(x, y + 3.5, str(pin), "pin", "middle")
        if pin not in used:
            column, _ = column_and_row(pin)
            where, anchor = (x - 32, "end") if column == 0 else (x + 32, "start")
            sheet.write(where, y + 4, label + (" (avoid)" if _avoided(label) else ""), "small faint", anchor)


def _avoided(label: str) -> bool:
    return label.startswith("GPIO") and caution(int(label[5:])) is not None


def _unused(label: str) -> str:
    if _avoided(label):
        return AVOID
    return {"GND": "#7b8794", "3V3": "#d98b8b", "5V": "#d98b8b"}.get(label, "#b8c2cc")


def _pin(pin: int) -> Point:
    column, row = column_and_row(pin)
    return (LEFT, RIGHT)[column], TOP + row * PITCH


def _desk(sheet: Sheet, desk: Desk) -> None:
    """Draw a desk beside the pins that it is at."""
    wires = sorted((pin, what) for what, pin in _wires(desk).items())
    column, _ = column_and_row(desk.ground)
    way = 1 if column else -1
    middle = _pin(wires[1][0])[1]
    lanes = {what: middle + (index - 1) * LANE for index, (_, what) in enumerate(wires)}
    start, far = (RIGHT if column else LEFT), (RIGHT if column else LEFT) + way * FAR
    near = start + way * 150
    sheet.box(min(near, far) - 22, middle - LANE - 62, abs(far - near) + 44, 2 * LANE + 100, SHADE, "#dde3ea")
    sheet.write((near + far) / 2, middle - LANE - 38, f"desk {desk.name}", "strong", "middle")
    sheet.back = SHADE
    for pin, what in wires:
        x, y = _pin(pin)
        colour = {"button": BUTTON, "lamp": LAMP, "ground": GROUND}[what]
        bend = start + way * (96 if lanes[what] != y else 70)
        sheet.wire([(x, y), (bend - way * 20, y), (bend, lanes[what]), (far, lanes[what])], colour)
        anchor = "start" if column else "end"
        label = f"GND, pin {pin}" if what == "ground" else HEADER[pin - 1]
        sheet.write(near - way * 14, lanes[what] - 7, label, "small", anchor)
    sheet.button(near + way * 150, lanes["button"])
    sheet.resistor(near + way * 118, lanes["lamp"], "330 Ω")
    sheet.led(near + way * 186, lanes["lamp"], to_right=way > 0)
    sheet.wire([(far, min(lanes.values())), (far, max(lanes.values()))], GROUND)
    sheet.dot((far, lanes["ground"]), GROUND)


def _wires(desk: Desk) -> dict[str, int]:
    return {"button": pin_of(f"GPIO {desk.button}"), "lamp": pin_of(f"GPIO {desk.lamp}"), "ground": desk.ground}


_CORNER = "pin 1 is at the corner next to the SD card; pins are numbered across"


def _legend(sheet: Sheet, y: float, note: str = _CORNER) -> None:
    entries = ((BUTTON, "button"), (LAMP, "lamp"), (GROUND, "ground"))
    for index, (colour, what) in enumerate(entries):
        x = 28 + index * 110
        sheet.wire([(x, y), (x + 30, y)], colour, 4)
        sheet.write(x + 38, y + 4, what)
    sheet.write(946, y + 4, note, "small faint", "end")


def long_cable() -> str:
    """Draw a button at the end of 1 to 3 m."""
    sheet = Sheet(974, 330, "A button at the end of 1 to 3 m", "twisted pair; pull-up and filter stand at the Pi")
    sheet.box(28, 92, 130, 200, "#23303c", radius=6)
    for y, label in ((130.0, "3V3, pin 1"), (190.0, "GPIO"), (260.0, "GND")):
        sheet.dot((158, y), FAINT, 8, PAPER)
        sheet.write(140, y + 4, label, "light", "end")
    sheet.wire([(158, 130), (290, 130), (290, 190)], POWER)
    sheet.standing_resistor(290, 160, "1 kΩ")
    sheet.wire([(158, 190), (440, 190)], BUTTON)
    sheet.wire([(158, 260), (440, 260)], GROUND)
    for colour, first, other in ((BUTTON, 190.0, 260.0), (GROUND, 260.0, 190.0)):
        twisted = [(440 + index * 52.0, first if index % 2 == 0 else other) for index in range(7)]
        sheet.wire(twisted, colour)
    sheet.wire([(752, 190), (900, 190), (900, 260), (752, 260)], GROUND)
    sheet.wire([(752, 190), (826, 190)], BUTTON)
    sheet.button(826, 190)
    sheet.wire([(230, 190), (230, 260)], GROUND)
    sheet.capacitor(230, 225, "100 nF")
    sheet.dot((230, 190), BUTTON)
    sheet.dot((230, 260), GROUND)
    sheet.dot((290, 190), BUTTON)
    sheet.resistor(370, 190, "100 Ω", BUTTON)
    return sheet.text


def three_colours() -> str:
    """Draw a lamp of three colours, both ways in which it comes."""
    sheet = Sheet(974, 420, "A lamp of three colours", "one resistor for each colour; the long leg is the common one")
    for x, title, common, key in (
        (28.0, "common cathode", "GND", "as it is"),
        (506.0, "common anode", "3V3", "active_low = true"),
    ):
        sheet.box(x, 88, 440, 300, SHADE, "#dde3ea")
        sheet.back = SHADE
        sheet.write(x + 22, 118, title, "strong")
        sheet.write(x + 418, 118, key, "small faint", "end")
        for index, (colour, pin) in enumerate((("#c0392b", 5), ("#2e8b57", 6), ("#2f5fd0", 13))):
            y = 170 + index * 62
            sheet.dot((x + 110, y), colour, 8, PAPER)
            sheet.write(x + 96, y + 4, f"GPIO {pin}", anchor="end")
            sheet.wire([(x + 110, y), (x + 380, y)], colour)
            sheet.resistor(x + 190, y, "330 Ω", colour)
            sheet.led(x + 300, y, to_right=common == "GND", colour=colour)
        edge = GROUND if common == "GND" else POWER
        sheet.wire([(x + 380, 170), (x + 380, 356), (x + 110, 356)], edge)
        sheet.dot((x + 110, 356), edge, 8, PAPER)
        sheet.write(x + 96, 360, common, anchor="end")
        for y in (232, 294):
            sheet.dot((x + 380, y), edge)
    return sheet.text


def panel() -> str:
    """Draw a Raspberry Pi Pico with eight keys and eight lamps."""
    sheet = Sheet(974, 742, "A panel: Raspberry Pi Pico, 8 keys, 8 lamps", "keys on one side, lamps on the other")
    used = {_gp(pin): BUTTON for pin in KEYS} | {_gp(pin): LAMP for pin in LAMPS} | {3: GROUND, 23: GROUND}
    left, right = _PICO_LEFT - 380, _PICO_RIGHT + 380
    rows = {pin: _pico_pin(pin)[1] for pin in used}
    sheet.wire([(_PICO_LEFT, rows[3]), (left, rows[3]), (left, rows[_gp(KEYS[-1])])], GROUND)
    lamp_rows = [rows[_gp(pin)] for pin in LAMPS]
    sheet.wire([(_PICO_RIGHT, rows[23]), (right, rows[23])], GROUND)
    sheet.wire([(right, min(lamp_rows)), (right, max(lamp_rows))], GROUND)
    sheet.dot((right, rows[23]), GROUND)
    for number, pin in enumerate(KEYS, 1):
        _key(sheet, number, rows[_gp(pin)], left)
    for number, pin in enumerate(LAMPS, 1):
        _lamp(sheet, number, rows[_gp(pin)], right)
    sheet.write(_PICO_RIGHT + 190, min(lamp_rows) - 34, "330 Ω each", "small", "middle")
    _pico(sheet, used)
    _legend(sheet, 716, "seen from above; USB goes to the bridge, and feeds the panel")
    return sheet.text


_PICO_LEFT, _PICO_RIGHT = 437.0, 537.0


def _gp(number: int) -> int:
    """Return the pin of the Pico at which a GP is."""
    return PICO.index(f"GP{number}") + 1


def _pico_pin(pin: int) -> Point:
    return (_PICO_LEFT, TOP + (pin - 1) * PITCH) if pin <= 20 else (_PICO_RIGHT, TOP + (40 - pin) * PITCH)


def _pico(sheet: Sheet, used: dict[int, str]) -> None:
    sheet.box(_PICO_LEFT - 22, TOP - 24, _PICO_RIGHT - _PICO_LEFT + 44, 20 * PITCH + 22, "#1f5f43", radius=8)
    sheet.box((_PICO_LEFT + _PICO_RIGHT) / 2 - 24, TOP - 42, 48, 28, "#c9d0d8", "#9aa5b1", radius=4)
    sheet.write((_PICO_LEFT + _PICO_RIGHT) / 2, TOP - 24, "USB", "small", "middle")
    for pin, label in enumerate(PICO, 1):
        x, y = _pico_pin(pin)
        inward = 14 if pin <= 20 else -14
        sheet.dot((x, y), used.get(pin, "#9db8ab"), 8.5, PAPER if pin in used else "none")
        sheet.write(x, y + 3.5, str(pin), "pin", "middle")
        sheet.write(x + inward, y + 4, label, "pin", "start" if pin <= 20 else "end")


def _key(sheet: Sheet, number: int, y: float, rail: float) -> None:
    sheet.wire([(_PICO_LEFT, y), (rail, y)], BUTTON)
    sheet.button(_PICO_LEFT - 190, y)
    sheet.dot((rail, y), GROUND)
    sheet.write(_PICO_LEFT - 44, y - 5, f"key {number}", "small", "end")


def _lamp(sheet: Sheet, number: int, y: float, rail: float) -> None:
    sheet.wire([(_PICO_RIGHT, y), (rail, y)], LAMP)
    sheet.resistor(_PICO_RIGHT + 190, y, "")
    sheet.led(_PICO_RIGHT + 280, y, to_right=True, small=True)
    sheet.dot((rail, y), GROUND)
    sheet.write(_PICO_RIGHT + 44, y - 5, f"lamp {number}", "small")


def main(arguments: list[str]) -> int:
    """Write the files, or check them."""
    wrong = []
    for name, text in drawings().items():
        path = HERE / name
        if arguments == ["--check"]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                wrong.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if wrong:
        print(
            f"not what is drawn from the tables: {', '.join(wrong)}; run python -m hardware.wiring.draw",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
