"""Plain text for people."""

from __future__ import annotations

import io
import sys

import pytest

from bridge.cli.text import clean, columns, named, span


class Terminal(io.StringIO):
    """An output that people look at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_columns_are_aligned() -> None:
    """Each column is as wide as its widest cell; nothing stands behind the last; None is nothing."""
    assert columns([("anna", 1, "x"), ("b", None, "")], ("NAME", "N", "S")) == "  NAME  N  S\n  anna  1  x\n  b"
    assert columns([]) == ""


def test_a_terminal_is_not_overrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal the last column goes on below itself, and no word is lost; in a file or pipe a line is whole."""
    row = [("anna", "see the state, pick up calls, log in or out")]
    assert columns(row) == "  anna  see the state, pick up calls, log in or out"
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "37")
    assert columns(row) == "  anna  see the state, pick up calls,\n        log in or out"


def test_a_last_column_without_room_goes_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the other columns leave nothing beside them, the last one stands under them, deeper."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    folded = columns([("a" * 30, "told in words that need more room than there is")])
    assert folded == f"  {'a' * 30}\n      told in words that need more room\n      than there is"
    assert max(map(len, columns([("a b " * 30, "c" * 90)]).splitlines())) <= 40


def test_what_moves_the_cursor_is_taken_out() -> None:
    """Control characters, also those of the upper half and of writing direction, are replaced."""
    assert clean("a\x1b[2J\x9b\u202eb\n") == "a\ufffd[2J\ufffd\ufffdb\ufffd"
    assert clean("Größe 漢字") == "Größe 漢字"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (200000, "2 d")],
)
def test_spans(seconds: float, said: str) -> None:
    """Spans are told in a unit in which there are at least two."""
    assert span(seconds) == said


def test_names() -> None:
    """A name that differs from what commands take is told with it."""
    assert named("anna", "Anna") == "anna"
    assert named("anna", "Anna Schmidt") == "Anna Schmidt (anna)"
