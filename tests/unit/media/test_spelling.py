"""Numbers and minutes in words."""

from __future__ import annotations

import pytest

from bridge.media.prompts import LANGUAGES, LARGEST_NUMBER, Prompt, digits, minutes, number
from bridge.media.spelling import HUNDRED, MINUTES, ONE_MINUTE, all_number_pieces, pieces


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (0, ["0"], ["0"]),
        (7, ["7"], ["7"]),
        (19, ["19"], ["19"]),
        (20, ["20"], ["20"]),
        (21, ["20", "1"], ["1und", "20"]),
        (99, ["90", "9"], ["9und", "90"]),
        (100, ["1", "hundred"], ["hundred"]),
        (101, ["1", "hundred", "1"], ["hundred", "1"]),
        (321, ["3", "hundred", "20", "1"], ["3", "hundred", "1und", "20"]),
        (100_000, ["9", "hundred", "90", "9"], ["9", "hundred", "9und", "90"]),
    ],
)
def test_numbers(value: int, english: list[str], german: list[str]) -> None:
    """As people say them."""
    assert list(pieces(number(value), "en")) == english
    assert list(pieces(number(value), "de")) == german


def test_minutes() -> None:
    """One is a word of its own; none is said as one."""
    assert pieces(minutes(1), "de") == pieces(minutes(0), "en") == (ONE_MINUTE,)
    assert pieces(minutes(12), "en") == ("12", MINUTES)


def test_digits() -> None:
    """One by one."""
    assert digits("+60*1") == ("number:6", "number:0", "number:1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_piece_of_every_number_is_among_those_that_ship(language: str) -> None:
    """Up to the largest."""
    known = {*all_number_pieces(language), HUNDRED}
    assert all(set(pieces(number(value), language)) <= known for value in range(LARGEST_NUMBER + 1))


@pytest.mark.parametrize("sound", [Prompt.GREETING, "number:", "number:x", "number:٣", "minutes:-1", "/a/number:1"])
def test_what_is_no_number_is_itself(sound: str) -> None:
    """Names and paths."""
    assert pieces(sound, "en") == (sound,)
