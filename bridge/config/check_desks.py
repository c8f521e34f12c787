"""What must fit together at the desks: buttons, lamps, pins, panels, and what their words name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.config.check_people import known_group
from bridge.config.draft import Draft, Finding, Table, elements, text, unknown
from bridge.config.problems import Loc, dotted
from bridge.config.words import Target, Words, parse_press, parse_shows

_OWN_LOGIN = ("toggle", "login", "logout", "pause")


def findings(draft: Draft) -> Iterator[Finding]:
    """Yield every mistake. A satellite's members and groups are another bridge's, so they are not looked up."""
    mqtt = draft.data.get("mqtt")
    if isinstance(mqtt, Mapping) and "satellite" in mqtt and not draft.satellite:
        yield ("mqtt", "satellite"), "is for a satellite, which has [mqtt] and [desks] alone; leave it out"
    taken: dict[object, Loc] = {}
    for name, desk in draft.desks.items():
        here: Loc = ("desks", name)
        yield from _member(draft, here, desk)
        panel = text(desk, "panel")
        if panel is not None:
            yield from _once(taken, ("panel", panel), (*here, "panel"), f"panel {panel!r}")
        yield from _buttons(taken, draft, name, desk)
        for place, part in _parts(here, desk, "lamps"):
            yield from _at(taken, name, desk, place, part, "lamp")
            yield from _lamp(place, part)
            yield from _words(draft, desk, (*place, "shows"), text(part, "shows"))


def _parts(here: Loc, desk: Table, key: str) -> Iterator[tuple[Loc, Table]]:
    for index, part in enumerate(elements(desk, key)):
        if isinstance(part, Mapping):
            yield (*here, key, index), part


def _member(draft: Draft, here: Loc, desk: Table) -> Iterator[Finding]:
    member = text(desk, "member")
    if member is None or member in draft.users or draft.satellite:
        return
    if member not in draft.lines:
        yield (*here, "member"), unknown("user or line", member, (*draft.users, *draft.lines))
    elif member in draft.user_of_line:
        user = draft.user_of_line[member]
        yield (*here, "member"), f"line {member!r} is the one of user {user!r}; name the user instead"


def _at(taken: dict[object, Loc], desk: str, table: Table, here: Loc, part: Table, key: str) -> Iterator[Finding]:
    """Check where a button or lamp is: at a GPIO of its own, or at a place of its own on the desk's panel."""
    if ("gpio" in part) == (key in part):
        yield here, f"nothing, or two things, tell where it is; give either gpio or {key}"
    if key in part and "panel" not in table:
        yield (*here, key), "is for a panel; give the desk a panel, or gpio here"
    place = part.get(key)
    for loc, gpio in _pins(here, part):
        yield from _once(taken, ("gpio", gpio), loc, f"gpio {gpio}")
    if isinstance(place, int):
        yield from _once(taken, (desk, key, place), (*here, key), f"{key} {place}")


def _pins(here: Loc, part: Table) -> Iterator[tuple[Loc, int]]:
    """Yield each pin that a part is at; a lamp may be at three."""
    gpio = part.get("gpio")
    if isinstance(gpio, int):
        yield (*here, "gpio"), gpio
    elif isinstance(gpio, Mapping):
        for colour, pin in gpio.items():
            if isinstance(pin, int):
                yield (*here, "gpio", colour), pin


def _lamp(here: Loc, lamp: Table) -> Iterator[Finding]:
    """Check what only lamps at pins can have."""
    for key in ("brightness", "active_low"):
        if key in lamp and "gpio" not in lamp:
            yield (*here, key), "is for a lamp at a gpio; leave it out"
    if "colours" in lamp and not isinstance(lamp.get("gpio"), Mapping):
        right = "give gpio = { red = 5, green = 6, blue = 13 }, or leave it out"
        yield (*here, "colours"), f"is for a lamp of three colours; {right}"


def _once(taken: dict[object, Loc], thing: object, loc: Loc, called: str) -> Iterator[Finding]:
    first = taken.setdefault(thing, loc)
    if first != loc:
        yield loc, f"{called} is used by {dotted(first[:-1])} already; each can be used once"


def _buttons(taken: dict[object, Loc], draft: Draft, name: str, desk: Table) -> Iterator[Finding]:
    defaults = _defaults(draft, text(desk, "member"))
    for place, part in _parts(("desks", name), desk, "buttons"):
        yield from _at(taken, name, desk, place, part, "key")
        if "press" not in part and "hold" not in part and next(defaults, None) is None:
            yield place, "does nothing; give press or hold, or more buttons to the groups of its member"
        yield from _button(draft, desk, place, part)


def _defaults(draft: Draft, member: str | None) -> Iterator[str]:
    """Yield the function keys that a member's groups give, each once."""
    groups = (table for name, table in draft.groups.items() if member is not None and draft.is_member(member, name))
    every = [press for group in groups for press in elements(group, "buttons") if isinstance(press, str)]
    yield from dict.fromkeys(every)


def _button(draft: Draft, desk: Table, here: Loc, button: Table) -> Iterator[Finding]:
    for key in ("press", "hold"):
        words = text(button, key)
        yield from _words(draft, desk, (*here, key), words)


def _words(draft: Draft, desk: Table, loc: Loc, written: str | None) -> Iterator[Finding]:
    if not written:
        return
    try:
        words = parse_shows(written) if loc[-1] == "shows" else parse_press(written)
    except ValueError as error:
        yield loc, str(error)
        return
    if not draft.satellite:
        yield from _targets(draft, desk, loc, words)


def _targets(draft: Draft, desk: Table, loc: Loc, words: Words) -> Iterator[Finding]:
    target = words.target or ""
    if words.kind is Target.LINE and target not in draft.lines:
        yield loc, unknown("line", target, draft.lines)
    if words.kind not in (Target.GROUP, Target.GROUP_OR_ALL):
        return
    yield from known_group(draft, loc, target, words.kind)
    group, member = draft.group(target), text(desk, "member")
    if group is None or member is None or member not in (*draft.users, *draft.lines):
        return
    if draft.is_member(member, group):
        return
    if words.word in _OWN_LOGIN:
        yield loc, f"{member!r} is not a member of {group!r}; add the member to the group, or name another group"
    leads = member in elements(draft.groups[group], "leaders")
    if words.word == "night" and loc[-1] != "shows" and not leads:
        yield loc, f"{member!r} may not switch the night of {group!r}; that is for its members and leaders"
