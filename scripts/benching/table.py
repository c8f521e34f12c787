"""The table of results: each row with ours, the peers', the ratios, the goal, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable

from benching.rows import GOALS, ROWS, Results, Row, at, speed

HEAD = ["", "ours", "Sippy", "ratio", "Kamailio", "ratio", "goal", ""]


def rows_of(results: Results, sections: Iterable[str]) -> list[Row]:
    """Return the rows of these sections: those with peers, then those that other sections have named themselves."""
    chosen = set(sections)
    found = [row for row in ROWS if row.section in chosen]
    for section in results:
        if section in chosen:
            found += [Row(name, section, at(section, name), GOALS.get(name)) for name in results[section]]
    return found


def table(results: Results, rows: Iterable[Row]) -> str:
    """Lay the numbers out."""
    scale = speed(results)
    lines = [HEAD, *(_cells(row, results, scale or 1.0) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = ["  ".join(_padded(line, widths)).rstrip() for line in lines]
    told = "not measured, so that goals are those of another machine" if scale is None else f"{scale:.2f}"
    note = f"Sippy's time for a call here, beside that where the goals come from: {told}"
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:], "", note])


def _padded(line: list[str], widths: list[int]) -> list[str]:
    return [
        cell.rjust(width) if at else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cells(row: Row, results: Results, scale: float) -> list[str]:
    ours = row.ours(results)
    cells = [row.title, _number(ours)]
    for peer in (row.sippy, row.kamailio):
        theirs = peer(results) if peer is not None else None
        ratio = ours / theirs if ours is not None and theirs else None
        cells += [_number(theirs), "" if ratio is None else f"{ratio:.2f}"]
    if row.goal is None or ours is None:
        return [*cells, "", ""]
    return [*cells, _number(row.goal.here(scale)), "met" if row.goal.met(ours, scale) else "NOT MET"]


def _number(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.2f}"
