"""What a desk is, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.desk.actions import Action
from bridge.desk.shows import Shows
from bridge.desk.signals import Signal
from hardware.model import LampWiring


@dataclass(frozen=True, slots=True)
class ButtonSettings:
    """A button at a pin (`gpio`, BCM number) or a panel's key, and what pressing and holding it does."""

    gpio: int | None = None
    key: int | None = None
    press: Action | None = None
    hold: Action | None = None

    def __str__(self) -> str:
        actions = [str(self.press)] if self.press else []
        return ", ".join([*actions, f"hold: {self.hold}"] if self.hold else actions)


@dataclass(frozen=True, slots=True)
class LampSettings:
    """A lamp at pins or a panel's lamp, and what it shows. `colours`: of what signals, where not the usual."""

    shows: Shows
    gpio: LampWiring | None = None
    lamp: int | None = None
    colours: Mapping[Signal, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What stands beside one phone; `member`: in whose name it acts."""

    name: str
    member: str
    buttons: tuple[ButtonSettings, ...] = ()
    lamps: tuple[LampSettings, ...] = ()
    panel: str | None = None
