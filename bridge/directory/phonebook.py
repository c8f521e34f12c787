"""Names by number, and numbers that are not wanted: pure, from text that is already read.

Numbers are compared as the world dials them: `030 1234`, `+49 (30) 1234` and `0049301234` are one. What has no 0 or +
in front is a local number where an area code is set, and a short number of the house where none is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST_NAME = 80
_SHORTEST_LOCAL = 5  # digits; less are short numbers of a house or services
_KEPT = re.compile(r"[^0-9+*#]")


class Entry(NamedTuple):
    """A number as it was written, and whose it is."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where the house is: codes of its country and area, digits without any 0 in front; "" for none."""

    country: str = "49"
    area: str = ""

    def normal(self, number: str) -> str:
        """Return a number in the one form that can be compared: +, country, area, number; or a short one as it is."""
        plain = _KEPT.sub("", number.replace("(0)", ""))
        if plain.startswith("+"):
            return "+" + plain.replace("+", "")
        if plain.startswith("00"):
            return f"+{plain[2:]}"
        if plain.startswith("0"):
            return f"+{self.country}{plain[1:]}"
        if self.area and plain.isdigit() and len(plain) >= _SHORTEST_LOCAL:
            return f"+{self.country}{self.area}{plain}"
        return plain


@dataclass(frozen=True, slots=True)
class Phonebook:
    """Names by normal number."""

    home: Home = Home()
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Home, entries: Iterable[Entry]) -> Phonebook:
        """Make one; of several names of a number the first counts."""
        names: dict[str, str] = {}
        for number, name in entries:
            shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME]
            normal = home.normal(number)
            if shown and normal:
                names.setdefault(normal, shown)
        return cls(home, names)

    def name_of(self, number: str) -> str:
        """Return whose number it is, "" where that is not known."""
        return self.names.get(self.home.normal(number), "") if number and self.names else ""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Callers from outside who are not put through. `numbers`: whole ones, or their beginnings with a `*` behind.

    `send_to`: the number that they come to instead, None: they are declined.
    """

    home: Home = Home()
    numbers: tuple[str, ...] = ()
    anonymous: bool = False
    send_to: str | None = None

    def has(self, number: str) -> bool:
        """Whether a caller with this number ("": anonymous) is not wanted."""
        if not number:
            return self.anonymous
        normal = self.home.normal(number)
        return any(self._matches(written, normal) for written in self.numbers)

    def _matches(self, written: str, normal: str) -> bool:
        if written.endswith("*"):
            return normal.startswith(Home(self.home.country).normal(written[:-1]))
        return normal == self.home.normal(written)


# -- vCard (RFC 6350, RFC 2426) ---------------------------------------------------------------------------------------


def vcard_entries(text: str) -> Iterator[Entry]:
    """Yield the numbers of a vCard file, version 3 or 4, with the name of their card. Raises ValueError."""
    lines = _unfolded(text)
    if not any(line.upper() == "BEGIN:VCARD" for line in lines):
        raise ValueError("has no BEGIN:VCARD; right is a vCard file of version 3 or 4, as address books export it")
    name, numbers = "", list[str]()
    for line in lines:
        key, value = _property(line)
        if key == "BEGIN":
            name, numbers = "", []
        elif key == "FN":
            name = _unescaped(value)
        elif key in ("N", "ORG") and not name:
            name = _of_parts(value, turned=key == "N")
        elif key == "TEL":
            numbers.append(_tel(value))
        elif key == "END":
            yield from (Entry(number, name) for number in numbers if number)


def _unfolded(text: str) -> list[str]:
    """Return the content lines: one that begins with a space goes on with the line before (RFC 6350 §3.2)."""
    return re.sub(r"\r?\n[ \t]", "", text.lstrip("\ufeff")).splitlines()


def _property(line: str) -> tuple[str, str]:
    """Return a line's name, without its group and parameters, and its value."""
    match = re.match(r'((?:[^":;]|"[^"]*")*)((?:;(?:[^":]|"[^"]*")*)?):(.*)\Z', line)
    if match is None:
        return "", ""
    return match[1].rpartition(".")[2].strip().upper(), match[3].strip()


def _tel(value: str) -> str:
    """Return a TEL's number: as text, or as a URI with its parameters left out (RFC 3966)."""
    number = _unescaped(value)
    return number[4:].partition(";")[0] if number.lower().startswith("tel:") else number


def _of_parts(value: str, *, turned: bool) -> str:
    """Return family;given or organisation;unit in the order in which they are said."""
    parts = [_unescaped(part) for part in re.split(r"(?<!\\);", value)[:2]]
    return " ".join(part for part in (reversed(parts) if turned else parts) if part)


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], value).strip()
