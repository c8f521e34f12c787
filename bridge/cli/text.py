"""Plain text for people: columns, times and spans; no colours.

What comes from outside (a caller's name, a PBX's reason) is shown without characters that would move the cursor.
"""

from __future__ import annotations

import datetime
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

GAP = "  "
ROOM = 24  # characters: what a last column needs beside the others


def columns(rows: Iterable[Sequence[object]], headings: Sequence[str] = (), indent: str = GAP) -> str:
    """Return rows in aligned columns. What is wider than the terminal goes on below, in the last column."""
    cells = [list(headings)] if headings else []
    cells += [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)] if cells else []
    return "\n".join(_folded(row, widths, indent) for row in cells)


def clean(value: object) -> str:
    """Return a value in one line of printable text; nothing for None."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def clock(iso: str | None) -> str:
    """Return a UTC time of the agent's JSON as local time: the clock for today, else with its date."""
    if not iso:
        return ""
    when = datetime.datetime.fromisoformat(iso).astimezone()
    today = when.date() == datetime.datetime.now().date()
    return f"{when:%H:%M}" if today else f"{when:%Y-%m-%d %H:%M}"


def ago(iso: str | None) -> str:
    """Return how long ago a UTC time of the agent's JSON was: "3 h"; nothing for None."""
    if not iso:
        return ""
    passed = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(iso)
    return span(passed.total_seconds())


def to_go(iso: str) -> str:
    """Return how far away a UTC time of the agent's JSON is: "25 min"."""
    left = datetime.datetime.fromisoformat(iso) - datetime.datetime.now(datetime.UTC)
    return span(left.total_seconds())


def span(seconds: float) -> str:
    """Return a length of time in the largest unit of which there are two: "90 min", "2 h"."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def length(seconds: float | None) -> str:
    """Return a length of time to the second: "12 s", "2:05 min", "1:02:05 h"; "-" for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


def since(iso: str | None) -> str:
    """Return "since 08:12 (3 h)", or nothing."""
    return f"since {clock(iso)} ({ago(iso)})" if iso else ""


def named(name: str, shown: str) -> str:
    """Return a name for people with the name that commands take: "Anna Schmidt (anna)", "anna"."""
    return name if shown.lower() == name else f"{shown} ({name})"


def _folded(row: Sequence[str], widths: Sequence[int], indent: str) -> str:
    """Return a row in a line, or in several where the terminal is narrower; no word of it is lost."""
    line = indent + _aligned(row, widths)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(line)
    if len(line) <= width:
        return line
    before = "".join(cell.ljust(column) + GAP for cell, column in zip(row[:-1], widths, strict=False))
    edge = len(indent + before)
    if width - edge >= ROOM:
        return indent + before + "\n".join(_wrapped(row[-1], width, " " * edge)).lstrip()
    below = indent + GAP + GAP  # too little room beside the others
    return "\n".join((*_wrapped(before.rstrip(), width, below, indent), *_wrapped(row[-1], width, below)))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _wrapped(text: str, width: int, indent: str, first: str | None = None) -> list[str]:
    """Return a text in lines; `first`: the first one's indent where it is another."""
    start = indent if first is None else first
    return textwrap.wrap(text, width, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False)
