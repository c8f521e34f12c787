"""`[outside]`, `[phonebook]`, `[blocklist]` and a line's `dial_out`: their effect, and what is said about mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.config.domain import directory_of, exchange_of
from tests.support.toml import OFFICE, mistakes, settings_of

LINE = '[lines.lobby]\nnumber = "203"\n'


def told(text: str, base: Path = Path("/nowhere")) -> str:
    """Return what is said about a configuration with mistakes."""
    return "\n".join(mistakes(text, base=base))


def test_a_line_that_calls_outside() -> None:
    """One trunk as a word, or several; its own limit and prefixes; the site's rules beside."""
    more = 'dial_out = "fritz"\ndial_out_allow = ["0043"]\ndial_out_daily = 3\n'
    rules = '[outside]\ndaily = 9\nrefuse = ["00"]\nallow = ["0041"]\nforward = true\n[phonebook]\ncountry = "43"\n'
    directory = directory_of(settings_of(OFFICE.replace(LINE, LINE + more) + rules))
    line = directory.lines["lobby"]
    assert (line.dial_out, line.dial_out_allow, line.dial_out_daily) == (("fritz",), ("0043",), 3)
    outside = directory.outside
    assert (outside.country, outside.daily, outside.refuse, outside.allow) == ("43", 9, ("00",), ("0041",))
    assert outside.forward and directory.lines["anna"].dial_out == ()
    listed = directory_of(settings_of(OFFICE.replace(LINE, LINE + 'dial_out = ["fritz"]\n')))
    assert listed.lines["lobby"].dial_out == ("fritz",) and not listed.outside.forward


def test_names_from_both_books(tmp_path: Path) -> None:
    """The vCards' first; the path counts from the configuration's."""
    (tmp_path / "a.vcf").write_text("BEGIN:VCARD\nFN:Zoe\nTEL:030555001\nEND:VCARD\n")
    contact = "<contact><person><realName>{}</realName></person><telephony><number>{}</number></telephony></contact>"
    both = contact.format("Other", "030555001") + contact.format("Otto", "030555002")
    (tmp_path / "b.xml").write_text(f"<phonebooks><phonebook>{both}</phonebook></phonebooks>")
    text = OFFICE + '[phonebook]\nvcard = "a.vcf"\nfritzbox = "b.xml"\narea = "30"\n'
    book = exchange_of(settings_of(text, base=tmp_path)).phonebook
    assert (book.name_of("+4930555001"), book.name_of("555002")) == ("Zoe", "Otto")


def test_who_is_not_wanted() -> None:
    """Numbers, anonymous callers, and where they come to."""
    text = OFFICE + '[blocklist]\nnumbers = ["0900*"]\nanonymous = true\nsend_to = "203"\n'
    blocked = exchange_of(settings_of(text)).blocklist
    assert blocked.has("+49900555") and blocked.has("") and blocked.send_to == "203"


@pytest.mark.parametrize(
    "more, said",
    [
        ('[blocklist]\nnumbers = ["x"]', "blocklist.numbers[0]: 'x' is no number"),
        ('[blocklist]\nanonymous = true\nsend_to = "999"', "blocklist.send_to"),
        ('[blocklist]\nsend_to = "203"', "blocklist.send_to: is for nobody"),
        ('[outside]\nrefuse = ["09x"]', "outside.refuse[0]: '09x' begins no number"),
        ('[phonebook]\ncountry = "+49"', "phonebook.country: '+49' is no such code"),
        ('[phonebook]\nvcard = "none.vcf"', "phonebook.vcard: 'none.vcf' cannot be read (No such file"),
        ('[phonebook]\nvcard = "cti.txt"', "phonebook.vcard: 'cti.txt' has no BEGIN:VCARD"),
        ('[phonebook]\nfritzbox = "cti.txt"', "phonebook.fritzbox: 'cti.txt' is no XML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, more: str, said: str) -> None:
    """With the key path, what is wrong, and what would be right."""
    (tmp_path / "cti.txt").write_text("hello")
    assert said in told(OFFICE + more, tmp_path)


@pytest.mark.parametrize(
    "more, said",
    [
        ('dial_out = "fitz"', "lines.lobby.dial_out: "),
        ('dial_out = ["fritz", "fitz"]', "lines.lobby.dial_out[1]: "),
        ('name = "x"\n[lines.help]\nnumber = "112"\npassword = "y"', "lines.help.number: '112' is an emergency number"),
        ("dial_out_daily = 3", "lines.lobby.dial_out_daily: goes with dial_out"),
    ],
)
def test_mistakes_of_lines_are_told(more: str, said: str) -> None:
    """A trunk that is not there, and what goes with one."""
    assert said in told(OFFICE.replace(LINE, f"{LINE}{more}\n"))


def test_a_pipe_is_no_phonebook(tmp_path: Path) -> None:
    """Nobody waits for what it may say."""
    os.mkfifo(tmp_path / "pipe")
    assert "phonebook.vcard: 'pipe' is no file" in told(OFFICE + '[phonebook]\nvcard = "pipe"', tmp_path)
