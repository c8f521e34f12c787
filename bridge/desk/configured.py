"""From settings to desks, as their door knows them."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.config.doors import ButtonSettings as ConfiguredButton
from bridge.config.doors import DeskSettings as Configured
from bridge.config.doors import LampSettings as ConfiguredLamp
from bridge.config.keys import buttons_of
from bridge.config.settings import Settings
from bridge.config.words import Target, Words, parse_press, parse_shows
from bridge.desk.actions import Action
from bridge.desk.model import ButtonSettings, DeskSettings, LampSettings
from bridge.desk.shows import Shows
from bridge.desk.signals import Signal
from bridge.directory.model import Directory, Group, Line, Member, User
from hardware.model import LampWiring


def desks_of(settings: Settings) -> tuple[DeskSettings, ...]:
    """Return the desks as their door knows them."""
    return tuple(_desk(name, desk, buttons_of(desk, settings)) for name, desk in settings.desks.items())


def _desk(name: str, desk: Configured, buttons: Sequence[ConfiguredButton]) -> DeskSettings:
    return DeskSettings(
        name=name,
        member=desk.member,
        panel=desk.panel,
        buttons=tuple(
            ButtonSettings(gpio=b.gpio, key=b.key, press=_action(b.press), hold=_action(b.hold)) for b in buttons
        ),
        lamps=tuple(_lamp(lamp) for lamp in desk.lamps),
    )


def _lamp(lamp: ConfiguredLamp) -> LampSettings:
    words = parse_shows(lamp.shows)
    return LampSettings(
        shows=Shows(words.word, words.target or ""),
        gpio=LampWiring(lamp.pins, lamp.brightness, lamp.active_low) if lamp.pins else None,
        lamp=lamp.lamp,
        colours={_MEANINGS[what]: colour for what, colour in lamp.colours if colour is not None},
    )


_MEANINGS = {
    "on": Signal.STEADY,
    "paused": Signal.BLINK_SLOW,
    "ringing": Signal.BLINK_FAST,
    "asked": Signal.SHORT_FLASH,
    "refused": Signal.THREE_FLASHES,
    "unreachable": Signal.DOUBLE_BLINK,
}
"""What the colours of a lamp are named by, and the signal that shows it."""


def _action(text: str | None) -> Action | None:
    if text is None:
        return None
    words = parse_press(text)
    return Action(words.word, words.target or "", words.for_seconds)


def expected(settings: Settings) -> Directory:
    """Return who there is, as far as a satellite's own configuration names them."""
    desks = settings.desks.values()
    members = tuple(Member(name, name) for name in dict.fromkeys(desk.member for desk in desks))
    named = [(words.kind, words.target) for desk in desks for words in _words(desk) if words.target]
    lines = [target for kind, target in named if kind is Target.LINE]
    groups = [target for kind, target in named if kind is Target.GROUP]
    return Directory(
        {name: Line(name, name) for name in lines},
        {member.name: User(member.name, member.name, member.line) for member in members},
        {name: Group(name, name, None, members) for name in groups},
    )


def _words(desk: Configured) -> list[Words]:
    pressed = [text for button in desk.buttons for text in (button.press, button.hold) if text]
    return [*map(parse_press, pressed), *(parse_shows(lamp.shows) for lamp in desk.lamps)]
