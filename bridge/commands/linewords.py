"""From the arguments of a line's verb, as they come through any door, to a `LineCommand`: strict and clear.

Arguments are taken as text alone but for `after` (seconds, or "20s") and `on` (true, false, "toggle").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.commands.model import CommandError, LineCommand, LineVerb
from bridge.commands.moments import seconds
from bridge.commands.words import NAME_LENGTH, check_fields, text
from bridge.directory.handling import When

LONGEST_RING = 180.0  # seconds that a line may ring before a diversion
_WHOSE = ("line", "member")
_TAKES: Mapping[LineVerb, tuple[str, ...]] = {
    LineVerb.DIAL: ("number",),
    LineVerb.PICKUP: ("group", "number", "call"),
    LineVerb.HANGUP: ("call",),
    LineVerb.HOLD: ("call",),
    LineVerb.RESUME: ("call",),
    LineVerb.TRANSFER: ("number", "call"),
    LineVerb.DIVERT: ("when", "number", "after"),
    LineVerb.DND: ("on",),
}
"""What each verb takes beside whose line it is."""

_DIALLED = re.compile(r"[0-9*#+]{1,32}\Z")
_SPACING = str.maketrans("", "", " -/().")
_NO = ("", "off", "none")
_ON = {"on": True, "off": False, "toggle": None}


def parse_line(verb: LineVerb, arguments: Mapping[str, Any], own: str | None) -> LineCommand:
    """Return what the arguments mean; `own` is the member that is meant where neither line nor member is named.

    Raises CommandError `bad_request`.
    """
    check_fields(verb, arguments, (*_WHOSE, *_TAKES[verb]))
    line, member = (text(arguments, key, NAME_LENGTH) for key in _WHOSE)
    if line and member:
        raise CommandError("bad_request", "line and member are given; right is one of them, or none for one's own")
    group = text(arguments, "group", NAME_LENGTH)
    number = text(arguments, "number", NAME_LENGTH)
    if verb is LineVerb.PICKUP and bool(group) == bool(number):
        raise CommandError("bad_request", "right is either group, or number: the line whose phone rings")
    if verb is LineVerb.DIAL and not number:
        raise CommandError("bad_request", "number is missing; right is what to dial, as text")
    if verb in (LineVerb.DIAL, LineVerb.TRANSFER, LineVerb.DIVERT) and number:
        number = _dialled(number, may_end=verb is LineVerb.DIVERT)
    return LineCommand(
        verb,
        line=line,
        member=member or (own if not line else None),
        group=group,
        number=number if number or verb is not LineVerb.DIVERT else "",
        call=text(arguments, "call", NAME_LENGTH),
        when=_when(arguments) if verb is LineVerb.DIVERT else None,
        after=_after(arguments),
        on=_on(arguments) if verb is LineVerb.DND else None,
    )


def _dialled(number: str, *, may_end: bool) -> str:
    """Return a number as it is dialled, without the spaces and strokes that people write into it."""
    if may_end and number.lower() in _NO:
        return ""
    plain = number.translate(_SPACING)
    if _DIALLED.match(plain) is None:
        raise CommandError("bad_request", f"{number!r} cannot be dialled; right are 1 to 32 of 0-9, *, # and +")
    return plain


def _when(arguments: Mapping[str, Any]) -> When:
    word = (text(arguments, "when", NAME_LENGTH) or When.ALWAYS).replace("_", "-").replace(" ", "-")
    try:
        return When(word)
    except ValueError:
        raise CommandError("bad_request", f"when is {word!r}; right are {', '.join(When)}") from None


def _after(arguments: Mapping[str, Any]) -> float | None:
    if arguments.get("after") is None:
        return None
    value = arguments["after"]
    try:
        found = seconds(value if isinstance(value, int | float) else str(value)[:NAME_LENGTH])
    except ValueError as wrong:
        raise CommandError("bad_request", f"after: {wrong}") from None
    if not 1.0 <= found <= LONGEST_RING:
        raise CommandError("bad_request", f"after is {found:g} s; right are 1 to {LONGEST_RING:g} s")
    return found


def _on(arguments: Mapping[str, Any]) -> bool | None:
    value = arguments.get("on", "toggle")
    if isinstance(value, bool):
        return value
    word = (text(arguments, "on", NAME_LENGTH) or "toggle").lower()
    if word not in _ON:
        raise CommandError("bad_request", f"on is {word!r}; right are true, false and toggle")
    return _ON[word]
