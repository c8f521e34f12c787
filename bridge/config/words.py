"""The little languages of a desk: what a button does when it is pressed, what a lamp shows.

    toggle G | login G | logout G|all | pause G [for 15m] | night G | pickup G | hangup | dial NUMBER
    login G | waiting G | missed G | night G | ringing | line L | bridge

G is a group's name or number, L a line's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from bridge.commands.moments import seconds


class Target(StrEnum):
    """What a word is followed by."""

    GROUP = "GROUP"
    GROUP_OR_ALL = "GROUP or all"
    LINE = "LINE"
    NUMBER = "NUMBER"
    NOTHING = ""


PRESS = {
    "toggle": Target.GROUP,
    "login": Target.GROUP,
    "logout": Target.GROUP_OR_ALL,
    "pause": Target.GROUP,
    "night": Target.GROUP,
    "pickup": Target.GROUP,
    "hangup": Target.NOTHING,
    "dial": Target.NUMBER,
}
"""What a button can do."""

SHOWS = {
    "login": Target.GROUP,
    "waiting": Target.GROUP,
    "missed": Target.GROUP,
    "night": Target.GROUP,
    "ringing": Target.NOTHING,
    "line": Target.LINE,
    "bridge": Target.NOTHING,
}
"""What a lamp can show."""

_DIALLED = re.compile(r"[0-9*#+]{1,32}")


@dataclass(frozen=True, slots=True)
class Words:
    """A button's or lamp's words, read: `target` is a group, line, number or "all"; `for_seconds` of a pause."""

    word: str
    kind: Target
    target: str | None = None
    for_seconds: float | None = None


def parse_press(text: str) -> Words:
    """Read what a button does. Raises ValueError with what would be right."""
    return _parse(text, PRESS)


def parse_shows(text: str) -> Words:
    """Read what a lamp shows. Raises ValueError with what would be right."""
    return _parse(text, SHOWS)


def _parse(text: str, language: dict[str, Target]) -> Words:
    word, *rest = text.split() or [""]
    kind = language.get(word)
    if kind is None:
        close = get_close_matches(word, language, 1)
        guess = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(
            f"{text[:60]!r} does not begin with a word that is known; right are {', '.join(language)}{guess}"
        )
    if kind is Target.NOTHING:
        if rest:
            raise ValueError(f"{text[:60]!r} has too many words; write {word!r} alone")
        return Words(word, kind)
    for_seconds = None
    if word == "pause" and len(rest) == 3 and rest[1] == "for":
        for_seconds = _duration(text, rest[2])
        rest = rest[:1]
    if len(rest) != 1:
        more = " or 'pause GROUP for 15m'" if word == "pause" else ""
        raise ValueError(f"{text[:60]!r} has {'too many' if rest else 'too few'} words; write '{word} {kind}'{more}")
    if kind is Target.NUMBER and not _DIALLED.fullmatch(rest[0]):
        raise ValueError(f"{rest[0][:40]!r} cannot be dialled; right are 1 to 32 of 0-9, *, # and +")
    return Words(word, kind, rest[0], for_seconds)


def _duration(text: str, written: str) -> float:
    try:
        return seconds(written)
    except ValueError:
        raise ValueError(
            f"{text[:60]!r}: {written[:20]!r} is no duration; write 15m or 1h30m, a year at most"
        ) from None
