"""Numbers and minutes in words, as pieces that ship: each language puts them together in its own way. Pure.

| | English | German |
|---|---|---|
| 21 | twenty, one | einund, zwanzig |
| 121 | one, hundred, twenty, one | hundert, einund, zwanzig |
| 1 minute | one-minute | one-minute |
| 2 minutes | two, minutes | zwei, minutes |
"""

from __future__ import annotations

from bridge.media.model import Sound
from bridge.media.prompts import LARGEST_NUMBER

HUNDRED = "hundred"
MINUTES = "minutes"
ONE_MINUTE = "one-minute"


def pieces(sound: Sound, language: str) -> tuple[str, ...]:
    """Return the pieces of a sound: itself, but for `prompts.number` and `prompts.minutes`."""
    kind, _, value = sound.partition(":")
    if not value.isascii() or not value.isdigit() or kind not in ("number", "minutes"):
        return (sound,)
    count = min(int(value), LARGEST_NUMBER)
    if kind == "number":
        return number_pieces(count, language)
    return (ONE_MINUTE,) if count == 1 else (*number_pieces(count, language), MINUTES)


def number_pieces(value: int, language: str) -> tuple[str, ...]:
    """Return a number, 0 to 999, in pieces called by digits: "7", "20", in German "7und", and `HUNDRED`."""
    if value >= 100:
        hundreds = () if language == "de" and value < 200 else (str(value // 100),)
        rest = number_pieces(value % 100, language) if value % 100 else ()
        return (*hundreds, HUNDRED, *rest)
    tens, ones = value // 10 * 10, value % 10
    if value < 20 or not ones:
        return (str(value),)
    return (f"{ones}und", str(tens)) if language == "de" else (str(tens), str(ones))


def all_number_pieces(language: str) -> tuple[str, ...]:
    """Return every piece that numbers need."""
    units = [str(value) for value in (*range(20), *range(20, 100, 10))]
    joined = [f"{ones}und" for ones in range(1, 10)] if language == "de" else []
    return (*units, *joined, HUNDRED)
