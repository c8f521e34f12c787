"""Which numbers may be called outside, and which tricks get past nothing."""

from __future__ import annotations

import pytest

from bridge.directory.outside import OutsideRules, national

RULES = OutsideRules()


@pytest.mark.parametrize("number", ["0301234", "+49301234", "0049301234", "0171555", "08001234"])
def test_what_costs_little_is_called(number: str) -> None:
    """Numbers of the own country, however they are written."""
    assert RULES.why_not(number) == ""


@pytest.mark.parametrize(
    "number",
    [
        "0900123456",  # premium rate
        "+49900123456",
        "0049900123456",
        "00490900123456",  # with a zero too much, as switches forgive
        "01377123",
        "+491377123",
        "11833",
        "118",
        "+44201234",  # abroad
        "0044201234",
        "+88213",  # satellites
        "+",
        "00",
        "010330301234",  # call by call
        "01805123",
        "*31#0900123",  # a PBX's own codes
        "*31#0301234",
        "#96*7*",
        "**620",
        "0301234#",
        "0301234,0900",
        "0301234;phone-context=x",
        "030 1234",
        "anna",
        "",
        "1" * 40,
    ],
)
def test_what_costs_or_commands_is_not_called(number: str) -> None:
    """Refused by default, with the reason."""
    assert RULES.why_not(number)


@pytest.mark.parametrize("number", ["110", "112"])
def test_help_can_always_be_called(number: str) -> None:
    """These and nothing that only begins so."""
    assert RULES.is_emergency(number) and not RULES.is_emergency(number + "0") and not RULES.is_emergency("0" + number)


def test_the_longer_prefix_counts() -> None:
    """What is allowed by more digits than it is refused by is called, and the other way round."""
    rules = OutsideRules(allow=("0043", "+41", "**6"), refuse=("00", "0900", "0043900"))
    assert [rules.why_not(n) == "" for n in ("+43123", "0043123", "+43900", "+411", "0044", "**611", "*31#")] == [
        True,
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert RULES.why_not("0900123", ("0900123",)) == "", "a line's own"


def test_numbers_as_the_country_dials_them() -> None:
    """The own country's code becomes a 0; other countries keep theirs."""
    assert [national(n, "49") for n in ("+49301", "0049301", "00490301", "+43301", "0301", "301")] == [
        "0301",
        "0301",
        "0301",
        "0043301",
        "0301",
        "301",
    ]
