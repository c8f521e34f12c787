from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.load import parse
from bridge.recipes.answerfile import AnswerError, read
from bridge.recipes.answers import (
    PBXS,
    Desk,
    Phone,
    read_broker,
    read_desk,
    read_group,
    read_phone,
    read_server,
)
from bridge.recipes.text import write

ANNA = Phone("anna", "Anna", "**611", own=False)
LOBBY = Phone("lobby", "Lobby", "203", own=True)
SUPPORT = read_group("Support 600", [ANNA, LOBBY], [])


def test_phone() -> None:
    """Its name may have several words and any letters; what is dialled is kept, its number is without * before it."""
    jörg = read_phone("Jörg  Ott **612", False, [ANNA])
    assert (jörg.key, jörg.shown, jörg.dial, jörg.number) == ("joerg-ott", "Jörg Ott", "**612", "612")
    assert read_phone("Anna 202", True, [ANNA]).key == "anna-2"
    assert read_phone("all 202", True, []).key == "all-2"
    assert read_phone("☎ 202", True, []).key == "phone"


@pytest.mark.parametrize(
    "text, own, why",
    [
        ("Anna", True, "write both"),
        ("201", True, "write both"),
        ("Anna 2(1", True, "is not a number"),
        ("Anna *201", True, "plain number"),
        ("Ben 611", False, "Anna has the number 611 already"),
    ],
)
def test_wrong_phone(text: str, own: bool, why: str) -> None:
    """What is wrong is told with what is right."""
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        read_phone(text, own, [ANNA])


def test_group() -> None:
    """Everybody is in it where nobody is named; the way it rings may stand behind its number."""
    assert SUPPORT.members == ("anna", "lobby") and SUPPORT.strategy == "parallel"
    office = read_group("The Office 601 sequential: lobby, 611", [ANNA, LOBBY], [SUPPORT])
    assert (office.key, office.members, office.strategy) == ("the-office", ("lobby", "anna"), "sequential")
    with pytest.raises(ValueError, match="Support has the number 600"):
        read_group("Office 600", [ANNA], [SUPPORT])
    with pytest.raises(ValueError, match="no phone 'Zoe'; right are Anna"):
        read_group("Office 601: Zoe", [ANNA], [SUPPORT])


def test_desk() -> None:
    """Pins are the next that the drawings have, or those that are named; none is used twice."""
    first = read_desk("Anna", [ANNA, LOBBY], [SUPPORT], [])
    assert first == Desk("anna", 17, 27, "support")
    assert read_desk("lobby", [ANNA, LOBBY], [SUPPORT], [first]) == Desk("lobby", 23, 24, "support")
    assert read_desk("Lobby 5 6 Support", [ANNA, LOBBY], [SUPPORT], [first]) == Desk("lobby", 5, 6, "support")
    for text, why in (
        ("Lobby 17 6", "GPIO 17 is used"),
        ("Lobby 5 99", "0 to 27"),
        ("Anna 5 6", "has a button already"),
    ):
        with pytest.raises(ValueError, match=why):
            read_desk(text, [ANNA, LOBBY], [SUPPORT], [first])


def test_addresses_need_no_scheme() -> None:
    """What people write is enough."""
    assert str(read_server("fritz.box")) == "sip:fritz.box"
    assert str(read_server("sip:pbx.example.org:5070;transport=tcp")) == "sip:pbx.example.org:5070;transport=tcp"
    assert str(read_broker("localhost")) == "mqtt://localhost:1883"
    assert read_broker("none") is None


def test_mistakes_come_all_at_once() -> None:
    """Each with its key."""
    with pytest.raises(AnswerError) as wrong:
        read({"pbx": "freepbx", "port": 0, "desks": ["Zoe"], "broker": "http://x", "password": 5, "groups": 7})
    for key in ("server", "port", "desks[0]", "broker", "password", "groups"):
        assert any(line.startswith(f"{key}: ") for line in str(wrong.value).splitlines()), wrong.value


NAMES = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20).filter(
    lambda name: name.strip() and "," not in name and ":" not in name
)


def test_without_a_pbx_no_phone_is_behind_it() -> None:
    """It is said so, in the words of the answers."""
    with pytest.raises(AnswerError, match="phones: there is no PBX"):
        read({"pbx": "none", "phones": ["Anna 201"]})


@given(st.sampled_from(list(PBXS)), st.lists(NAMES, min_size=1, max_size=6), NAMES)
def test_whatever_people_are_called_the_configuration_is_right(pbx: str, names: list[str], group: str) -> None:
    """Names are people's: with quotes, backslashes, brackets, any script."""
    phones = [f"{name} {200 + index}" for index, name in enumerate(names)]
    table: dict[str, Any] = {"pbx": pbx, "groups": [f"{group} 600"], "broker": "localhost", "password": {"env": "P"}}
    table |= {"own_phones": phones} if pbx == "none" else {"phones": phones, "server": "192.0.2.1", "username": "620"}
    written = write(read(table))
    lines = {f'{{ file = "secrets/{name}" }}': '"x"' for name in written.secrets}
    text = written.text
    for file, secret in lines.items():
        text = text.replace(file, secret)
    settings = parse(text, Path(), {"P": "x"})
    assert len(settings.lines) == len(names) and settings.groups


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ({"pbx": "none", "own_phones": ["Anna 201"]}, {"login": "*41", "toggle": "*43", "pickup": "*8", "menu": "*40"}),
        (
            {"pbx": "none", "own_phones": ["Anna 201"], "groups": ["Support *42"]},
            {"login": "*41", "logout": None, "toggle": "*43"},
        ),
        ({"pbx": "fritzbox", "phones": ["Anna **611"], "server": "fritz.box", "username": "620"}, {"login": None}),
    ],
)
def test_phones_of_our_own_have_codes(table: dict[str, Any], codes: dict[str, str | None]) -> None:
    """Who registers here may dial them, but for one that begins somebody's number; a PBX's phones cannot."""
    written = write(read({"groups": ["Support 600"], **table, "password": "x"}))
    text = written.text
    for name in written.secrets:
        text = text.replace(f'{{ file = "secrets/{name}" }}', '"x"')
    found = parse(text, Path(), {}).codes.model_dump()
    assert {key: found[key] for key in codes} == codes
