"""The drawings, the pin tables behind them, and what the instructions say beside them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hardware.firmware.pins import KEYS, LAMPS
from hardware.pins import Claims, caution
from hardware.wiring.draw import HERE, drawings, main
from hardware.wiring.tables import DESKS, HEADER, PICO, column_and_row, pin_of
from tests.support.toml import changed, mistakes

README = (Path(HERE).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", drawings())
def test_each_drawing_on_file_is_what_is_drawn_from_the_tables(name: str) -> None:
    """`scripts/wiring` makes them; each is an SVG with a title."""
    text = drawings()[name]
    assert (HERE / name).read_text(encoding="utf-8") == text, "run scripts/wiring"
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].tag.endswith("title") and root[0].text
    assert main(["--check"]) == 0


def test_no_drawing_is_left_that_nobody_makes() -> None:
    """A file beside them has no other source."""
    assert {path.name for path in HERE.glob("*.svg")} == set(drawings())


def test_pins_of_the_tables_are_each_used_once_and_none_is_to_be_avoided() -> None:
    """The grounds are grounds."""
    claims = Claims()
    for desk in DESKS:
        claims.claim_all((desk.button, desk.lamp), desk.name)
        assert caution(desk.button) is None and caution(desk.lamp) is None
        assert HEADER[desk.ground - 1] == "GND"
    assert len({desk.ground for desk in DESKS}) == len(DESKS)


def test_a_desks_three_wires_are_side_by_side() -> None:
    """In one column of the header, with nothing between them: one plug for each desk."""
    for desk in DESKS:
        pins = [pin_of(f"GPIO {desk.button}"), pin_of(f"GPIO {desk.lamp}"), desk.ground]
        columns, rows = zip(*map(column_and_row, pins), strict=True)
        assert len(set(columns)) == 1
        assert max(rows) - min(rows) == 2


def test_a_panels_keys_and_lamps_have_pins_of_their_own() -> None:
    """And the Pico has them."""
    assert len({*KEYS, *LAMPS}) == len(KEYS) + len(LAMPS)
    assert all(f"GP{pin}" in PICO for pin in (*KEYS, *LAMPS))


def test_the_instructions_tell_the_pins_of_the_tables() -> None:
    """The table in the instructions is the one of the drawings."""
    for number, desk in enumerate(DESKS, 1):
        button, lamp = (f"GPIO {pin}, pin {pin_of(f'GPIO {pin}')}" for pin in (desk.button, desk.lamp))
        assert f"| {number} | {button} | {lamp} | pin {desk.ground} |" in README


def test_the_configuration_in_the_instructions_is_right() -> None:
    """Each piece of TOML in them is taken as it stands."""
    pieces = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert len(pieces) >= 3
    for piece in pieces:
        tomllib.loads(piece)
        desk = piece if piece.startswith("[desks") else f'[desks.more]\nmember = "ben"\n{piece}'
        desk = (
            desk.replace("[desks.anna]", "[desks.first]").replace('"workshop"', '"lobby"').replace(" sales", " support")
        )
        desk = desk.replace("gpio = 17", "gpio = 4").replace("gpio = 27", "gpio = 22")
        assert mistakes(changed("", "\n" + desk)) == []
