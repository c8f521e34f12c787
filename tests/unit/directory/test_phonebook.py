"""Names by number from vCards and a FRITZ!Box's phonebook; numbers that are not wanted."""

from __future__ import annotations

import pytest

from bridge.directory.fritzbook import fritzbox_entries
from bridge.directory.phonebook import Blocklist, Entry, Home, Phonebook, vcard_entries

HOME = Home("49", "30")


@pytest.mark.parametrize(
    "written",
    ["030 555123", "+49 (30) 555123", "+49 (0)30 555-123", "0049 30 555123", "555123", "+4930555123", "030/555.123"],
)
def test_one_number_in_many_writings(written: str) -> None:
    """However it is written, and however a trunk shows it, it is the same number."""
    assert HOME.normal(written) == "+4930555123"


def test_what_is_no_number_of_the_network() -> None:
    """Short numbers stay what they are; without an area code local ones do too."""
    assert HOME.normal("600") == "600" and HOME.normal("**620") == "**620"
    assert Home("49").normal("555123") == "555123"
    assert HOME.normal("") == ""


VCARDS = """\
BEGIN:VCARD
VERSION:3.0
N:Muster;Zoe;;;
FN:Zoe Muster
TEL;TYPE=HOME,VOICE:030 555 001
item1.TEL;type=CELL:+49 171 555002
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Plumbers\\, Pipes & C
 o.
TEL;VALUE=uri;PREF=1;TYPE="voice,work":tel:+49-30-555-003;ext=7
NOTE:TEL:999
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:Noname;Otto;;;
ORG:Sheds Ltd
TEL:030555004
END:VCARD
BEGIN:VCARD
VERSION:3.0
ORG:Sheds Ltd
TEL:030555005
END:VCARD
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_vcards_of_version_3_and_4(ends: str) -> None:
    """Groups, parameters in quotes, URIs, folded lines, escapes, names from N or ORG where there is no FN."""
    book = Phonebook.of(HOME, vcard_entries("\ufeff" + VCARDS.replace("\n", ends)))
    assert {number: book.name_of(number) for number in ("030555001", "0171555002", "0049305550 03", "030999")} == {
        "030555001": "Zoe Muster",
        "0171555002": "Zoe Muster",
        "0049305550 03": "Plumbers, Pipes & Co.",
        "030999": "",
    }
    assert (book.name_of("555004"), book.name_of("555005")) == ("Otto Noname", "Sheds Ltd")


def test_a_name_is_one_short_line() -> None:
    """Whatever a card has in its name goes into headers and terminals."""
    book = Phonebook.of(HOME, [Entry("030555", "a\x1b[31m\nb" + "c" * 200), Entry("030555", "second")])
    name = book.name_of("030555")
    assert name.startswith("a [31m b") and len(name) == 80


def test_an_anonymous_caller_has_no_name() -> None:
    """Nor has anybody where there is no book."""
    assert Phonebook.of(HOME, [Entry("030555", "x")]).name_of("") == "" and Phonebook().name_of("030555") == ""


@pytest.mark.parametrize("text", ["", "hello", '{"a": 1}'])
def test_what_is_no_vcard(text: str) -> None:
    """It is said so."""
    with pytest.raises(ValueError, match="BEGIN:VCARD"):
        list(vcard_entries(text))


FRITZ = """<?xml version="1.0" encoding="utf-8"?>
<phonebooks><phonebook name="Telefonbuch"><contact><category>0</category>
<person><realName>Zoe &amp; Co</realName></person>
<telephony nid="2"><number type="home" prio="1" id="0">030555001</number>
<number type="mobile" prio="0" id="1">+49171555002</number></telephony>
<uniqueid>1</uniqueid></contact>
<contact><person><realName></realName></person><telephony><number type="home">030555009</number></telephony></contact>
</phonebook></phonebooks>
"""


def test_a_fritzboxs_phonebook() -> None:
    """As its user interface exports it."""
    book = Phonebook.of(HOME, fritzbox_entries(FRITZ))
    assert (book.name_of("555001"), book.name_of("0171 555002"), book.name_of("030555009")) == (
        "Zoe & Co",
        "Zoe & Co",
        "",
    )


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "no XML"),
        ("<a>", "no XML"),
        ("<feed/>", "<phonebooks>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><phonebooks><phonebook/></phonebooks>', "entities"),
    ],
)
def test_what_is_no_phonebook(text: str, told: str) -> None:
    """It is said what it is; nothing is expanded that could grow."""
    with pytest.raises(ValueError, match=told):
        list(fritzbox_entries(text))


def test_the_block_list() -> None:
    """Whole numbers in any writing, beginnings with a star, anonymous callers only where that is said."""
    blocked = Blocklist(HOME, ("030 555 001", "0900*", "+44*"))
    assert all(map(blocked.has, ("+4930555001", "0900123", "+49900123", "0044 20 1234")))
    assert not any(map(blocked.has, ("030555002", "", "0090012", "600")))
    assert Blocklist(anonymous=True).has("") and not Blocklist(anonymous=True).has("030555")
