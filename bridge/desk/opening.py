"""Opens a desk's parts, and closes them: buttons and lamps at pins, keys and lamps on its panel.

What cannot be opened is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.calls.status import Telephony
from bridge.desk.filter import Filter
from bridge.desk.lights import Light, PinLights
from bridge.desk.model import ButtonSettings, DeskSettings, LampSettings
from bridge.desk.panel import PanelDesk, PanelLight
from bridge.desk.parts import Desk, Face, Key
from bridge.desk.shows import Eyes
from bridge.directory.logins import Origin
from bridge.port.model import Port
from hardware.model import Board, Button, HardwareError, Lamp, LampWiring
from hardware.pins import caution

_Part = TypeVar("_Part")


@dataclass(slots=True)
class Opened:
    """A desk's parts that are open. `buttons` and `lamps`: those at pins."""

    settings: DeskSettings
    desk: Desk
    panel: PanelDesk | None
    buttons: list[tuple[Key, Button]] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    lights: PinLights = field(default_factory=PinLights)

    def close(self) -> None:
        """Darken its lamps, free its pins, let go of its panel."""
        if self.panel is not None:
            self.panel.close()
        for _, button in self.buttons:
            button.close()
        for lamp in self.lamps:
            lamp.close()


def open_desk(
    settings: DeskSettings, port: Port, telephony: Telephony, board: Board | None, panel: PanelDesk | None
) -> tuple[Opened, list[str]]:
    """Open all parts of a desk; return also those that cannot be, as `key.path: why`."""
    desk = Desk(settings.name, settings.member)
    opened = Opened(settings, desk, panel)
    problems = []
    eyes = Eyes(settings.member, port, telephony)
    for place, button in _placed(settings, "buttons", settings.buttons):
        try:
            desk.keys.append(_key(button, place, opened, board))
        except HardwareError as error:
            problems.append(f"{place}: {error}")
    for place, lamp in _placed(settings, "lamps", settings.lamps):
        try:
            where, light = _light(lamp, place, opened, board)
        except HardwareError as error:
            problems.append(f"{place}: {error}")
        else:
            desk.faces.append(Face(where, lamp.shows, eyes, light))
    return opened, problems


def _placed(desk: DeskSettings, kind: str, parts: Sequence[_Part]) -> Iterator[tuple[str, _Part]]:
    for index, part in enumerate(parts):
        yield f"desks.{desk.name}.{kind}[{index}]", part


def _key(button: ButtonSettings, place: str, opened: Opened, board: Board | None) -> Key:
    desk, panel, holds = opened.desk, opened.panel, button.hold is not None
    if button.gpio is None:
        assert panel is not None and button.key is not None, "the configuration was checked"
        key = Key(desk, f"key {button.key}", button, Filter(holds=holds, stable=0.0), Origin.PANEL)
        panel.keys[button.key] = key
        panel.places[key.where] = place
        return key
    assert board is not None, "there is a board where there are pins"
    pin = board.button(button.gpio, place, f"{desk.name}: {button}")
    key = Key(desk, f"gpio {button.gpio}", button, Filter(holds=holds, pressed=pin.read()))
    opened.buttons.append((key, pin))
    return key


def _light(lamp: LampSettings, place: str, opened: Opened, board: Board | None) -> tuple[str, Light]:
    panel = opened.panel
    if lamp.gpio is None:
        assert panel is not None and lamp.lamp is not None, "the configuration was checked"
        where = f"lamp {lamp.lamp}"
        panel.places[where] = place
        return where, PanelLight(panel.panel, lamp.lamp)
    assert board is not None, "there is a board where there are pins"
    part = board.lamp(lamp.gpio, place, f"{opened.desk.name}: {lamp.shows}")
    opened.lamps.append(part)
    return f"gpio {pins_text(lamp.gpio)}", opened.lights.add(part, lamp.colours)


def pins_text(wiring: LampWiring) -> str:
    """Return a lamp's pins: "27", or "5, 6, 13"."""
    return ", ".join(map(str, wiring.pins))


def cautions(settings: Sequence[DeskSettings]) -> list[str]:
    """Return warnings of pins that can be used and had better not be, each with its key path."""
    pins: list[tuple[str, int]] = []
    for desk in settings:
        pins += ((f"{place}.gpio", b.gpio) for place, b in _placed(desk, "buttons", desk.buttons) if b.gpio is not None)
        pins += (
            (f"{place}.gpio", pin)
            for place, lamp in _placed(desk, "lamps", desk.lamps)
            if lamp.gpio is not None
            for pin in lamp.gpio.pins
        )
    found = ((place, caution(pin)) for place, pin in pins)
    return [f"{place}: {warning}" for place, warning in found if warning]
