"""What phones may do by themselves: codes, the menu, PINs, recorded names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.domain import directory_of, exchange_of
from bridge.config.later import notices
from bridge.config.sound import files_in
from bridge.directory.codes import Code, Codes, Dialled
from tests.support.toml import changed, mistakes, settings_of
from tests.support.wav import wav

ALL = '\nlogout = "*42"\ntoggle = "*43"\npickup = "*8"\nmenu = "*40"\nnight = "*44"\n[menu]\nnumber = "700"'
ANNA = '[users.anna]\nline = "anna"\n'


def with_pin(written: str) -> str:
    """Return the configuration with a PIN for Anna."""
    return changed(ANNA, f"{ANNA}pin = {written}\n")


def test_codes_and_menu() -> None:
    """They reach the directory, PINs the exchange; all of it is in effect."""
    settings = settings_of(with_pin('"2907"').replace('login = "*41"', f'login = "*41"{ALL}'))
    directory = directory_of(settings)
    assert directory.codes == Codes("*41", "*42", "*43", "*8", "*40", "*44") and directory.menu == "700"
    assert exchange_of(settings).pins == {"anna": "2907"}
    assert not [said for said in notices(settings) if "codes" in said or "menu" in said]
    assert "2907" not in repr(settings) + repr(exchange_of(settings))


@pytest.mark.parametrize(
    ("dialled", "means"),
    [
        ("*41600", Dialled(Code.LOGIN, "600")),
        ("*41support", Dialled(Code.LOGIN, "support")),
        ("*41", Dialled(Code.LOGIN)),
        ("*8201", Dialled(Code.PICKUP, "201")),
        ("*8*43600", Dialled(Code.TOGGLE, "600")),
        ("*40", Dialled(Code.MENU)),
        ("*4", None),
        ("600", None),
        ("", None),
    ],
)
def test_what_is_dialled(dialled: str, means: Dialled | None) -> None:
    """A code, then what it is about."""
    assert Codes("*41", "*42", "*43", "*8", "*40", "*44").read(dialled) == means


@pytest.mark.parametrize("written", ['"123"', '"12a4"', '"1234567890123"', '"12 34"'])
def test_what_is_no_pin(written: str) -> None:
    """4 to 12 digits, and nothing of it is repeated."""
    (said,) = mistakes(with_pin(written))
    assert said == 'users.anna.pin: is no PIN; right are 4 to 12 digits as text, as in "2907" (line 26)'


@pytest.mark.parametrize("written", ['"1234"', '"0000"', '"9876"', '"456789"'])
def test_pins_that_are_guessed_first(written: str) -> None:
    """Digits in a row, or all the same, are refused."""
    (said,) = mistakes(with_pin(written))
    assert said == (
        "users.anna.pin: is guessed at the first try (digits in a row, or all the same); choose another (line 26)"
    )


def test_pins_are_secrets(tmp_path: Path) -> None:
    """A PIN may be in a file, as other secrets."""
    (tmp_path / "pin").write_text("2907\n")
    settings = settings_of(with_pin('{ file = "pin" }'), base=tmp_path)
    assert exchange_of(settings).pins == {"anna": "2907"}


def test_recorded_names(tmp_path: Path) -> None:
    """A WAV file is made ready to be played; one that is none is a mistake."""
    (tmp_path / "anna.wav").write_bytes(wav([0] * 8000, 8000))
    text = changed(ANNA, f'{ANNA}spoken_name = "anna.wav"\n')
    settings = settings_of(text, base=tmp_path)
    assert directory_of(settings).users["anna"].spoken_name == str(tmp_path / "anna.wav")
    assert [str(file) for file in files_in(settings)] == [str(tmp_path / "anna.wav")]
    (said,) = mistakes(text, base=tmp_path / "elsewhere")
    assert said.startswith("users.anna.spoken_name: anna.wav cannot be read")
