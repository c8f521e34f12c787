"""The function keys that groups give to the desks of their members."""

from __future__ import annotations

import pytest

from bridge.config.keys import buttons_of
from bridge.config.problems import ConfigError
from bridge.desk.configured import desks_of
from tests.support.toml import settings_of

OFFICE = """
[sip]
[lines]
a = { number = "201", contact = "sip:201@10.0.0.1" }
b = { number = "202", contact = "sip:202@10.0.0.2" }
[users.anna]
line = "a"
[groups.support]
number = "600"
members = ["anna", "b"]
buttons = ["toggle support", "pickup support"]
[groups.sales]
number = "601"
members = ["anna"]
buttons = ["toggle sales", "pickup support"]
"""


def keys(desk: str) -> list[tuple[int | None, int | None, str | None, str | None]]:
    """Return the buttons of a desk: pin, key, press, hold."""
    settings = settings_of(f"{OFFICE}[desks.d]\n{desk}")
    return [(b.gpio, b.key, b.press, b.hold) for b in buttons_of(settings.desks["d"], settings)]


def test_buttons_that_say_nothing_do_what_the_groups_say() -> None:
    """In the order of the groups and their lists, each once; those that say something keep it."""
    found = keys(
        'member = "anna"\nbuttons = [{ gpio = 4 }, { gpio = 5, press = "hangup" }, { gpio = 6 }, { gpio = 7 }]'
    )
    assert found == [
        (4, None, "toggle support", None),
        (5, None, "hangup", None),
        (6, None, "pickup support", None),
        (7, None, "toggle sales", None),
    ]


def test_a_panel_without_buttons_has_them_all() -> None:
    """On keys 1, 2, ...; a device's desk has those of the device's groups."""
    assert keys('member = "b"\npanel = "/dev/ttyACM0"') == [
        (None, 1, "toggle support", None),
        (None, 2, "pickup support", None),
    ]
    assert keys('member = "b"\npanel = "/dev/ttyACM0"\nbuttons = [{ key = 3, press = "hangup" }]') == [
        (None, 3, "hangup", None)
    ]


def test_the_desks_door_gets_them() -> None:
    """As if they had been written at the desk."""
    settings = settings_of(f'{OFFICE}[desks.d]\nmember = "anna"\nbuttons = [{{ gpio = 4 }}]')
    (desk,) = desks_of(settings)
    assert str(desk.buttons[0].press) == "toggle support"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"pickup support"]\n[groups.sales]', "]\n[groups.sales]", None),
        ('"toggle support", "pickup', '"toggel support", "pickup', "groups.support.buttons[0]"),
        ('"toggle sales", ', '"toggle salse", ', "groups.sales.buttons[0]"),
    ],
)
def test_wrong_function_keys_are_named(old: str, new: str, said: str | None) -> None:
    """A word or a group that there is not."""
    text = OFFICE.replace(old, new)
    assert text != OFFICE
    if said is None:
        settings_of(text)
        return
    with pytest.raises(ConfigError) as error:
        settings_of(text)
    assert said in str(error.value)


def test_more_buttons_than_function_keys() -> None:
    """A button for which nothing is left does nothing, and that is a mistake."""
    with pytest.raises(ConfigError) as error:
        keys('member = "b"\nbuttons = [{ gpio = 4 }, { gpio = 5 }, { gpio = 6 }]')
    assert "desks.d.buttons[2]: does nothing; give press or hold, or more buttons to the groups" in str(error.value)
