"""The default function keys of desks: what the groups of their member say (`groups.NAME.buttons`).

A button that says neither `press` nor `hold` does the next of them, in the order of the groups and of their lists; a
desk that has a panel and no buttons of its own has all of them, on keys 1, 2, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bridge.config.doors import ButtonSettings, DeskSettings
from bridge.config.settings import Settings


def buttons_of(desk: DeskSettings, settings: Settings) -> tuple[ButtonSettings, ...]:
    """Return a desk's buttons, those filled in that say nothing of their own."""
    defaults = defaults_of(desk.member, settings)
    if desk.panel is not None and not desk.buttons:
        return tuple(ButtonSettings(key=key, press=press) for key, press in enumerate(defaults, 1))
    return tuple(_filled(desk.buttons, iter(defaults)))


def defaults_of(member: str, settings: Settings) -> Sequence[str]:
    """Return the function keys that a member's groups give, each once."""
    found = [
        press
        for group in settings.groups.values()
        if any(member in _names(each) for each in group.members)
        for press in group.buttons
    ]
    return tuple(dict.fromkeys(found))


def _names(member: object) -> tuple[str | None, ...]:
    return (member,) if isinstance(member, str) else (getattr(member, "user", None), getattr(member, "line", None))


def _filled(buttons: Iterable[ButtonSettings], defaults: Iterator[str]) -> Iterator[ButtonSettings]:
    for button in buttons:
        if button.press is None and button.hold is None:
            press = next(defaults, None)
            yield button.model_copy(update={"press": press})
        else:
            yield button
