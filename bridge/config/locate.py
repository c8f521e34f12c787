"""On which line each key of a TOML text stands; tomllib does not tell.

Only for texts that tomllib has read without complaint: the scanner relies on their being valid and looks for no more
than keys, brackets and the ends of strings.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

from bridge.config.problems import Loc

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Lines:
    """The line of every key and list element, counted from 1."""

    def __init__(self, text: str) -> None:
        self._by_loc = _Scan(text).run()

    def find(self, loc: Loc) -> int | None:
        """Return the line of a key or, where it is not written, of the nearest table around it."""
        for end in range(len(loc), 0, -1):
            line = self._by_loc.get(loc[:end])
            if line is not None:
                return line
        return None


class _Scan:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._found: dict[Loc, int] = {}
        self._elements: dict[Loc, int] = {}  # of each array of tables, the index of the last one

    def run(self) -> Mapping[Loc, int]:
        table: Loc = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._found

    def _header(self) -> Loc:
        """Read `[a.b]` or `[[a.b]]`; return the table's place."""
        start = self._at
        double = self._text.startswith("[[", start)
        self._at += 2 if double else 1
        keys = self._keys()
        self._at += 2 if double else 1
        loc: Loc = ()
        for key in keys[:-1]:
            loc = self._within((*loc, key))
        loc = (*loc, keys[-1])
        if double:
            self._elements[loc] = self._elements.get(loc, -1) + 1
        loc = self._within(loc)
        self._note(loc, start)
        return loc

    def _within(self, loc: Loc) -> Loc:
        return (*loc, self._elements[loc]) if loc in self._elements else loc

    def _pair(self, table: Loc) -> None:
        start = self._at
        loc = (*table, *self._keys())
        self._note(loc, start)
        self._at += 1  # the equals sign
        self._value(loc)

    def _keys(self) -> list[str]:
        """Read a dotted key; stops at what follows it."""
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(_plain(self._take(_KEY)))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, loc: Loc) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                self._array(loc)
            case "{":
                self._inline_table(loc)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_SCALAR)

    def _array(self, loc: Loc) -> None:
        index = 0
        while not self._closes("]"):
            self._note((*loc, index), self._at)
            self._value((*loc, index))
            index += 1

    def _inline_table(self, loc: Loc) -> None:
        while not self._closes("}"):
            self._pair(loc)

    def _closes(self, bracket: str) -> bool:
        """Step over the opening bracket or comma; whether the closing one is next, which is stepped over too."""
        self._skip(_BLANK)
        if self._text[self._at] != bracket:
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _note(self, loc: Loc, at: int) -> None:
        line = bisect_right(self._line_starts, at)
        for end in range(1, len(loc) + 1):  # tables that a dotted key makes have its line
            self._found.setdefault(loc[:end], line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None, "the text is valid TOML"
        self._at = found.end()
        return found.group()


def _plain(key: str) -> str:
    """Return a key without its quotes and escapes."""
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[0] in "\"'" else key
