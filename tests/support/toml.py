"""A configuration that is right, and what is said about it once a piece of it is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bridge.config.load import parse
from bridge.config.problems import ConfigError
from bridge.config.settings import Settings

OFFICE = """\
[site]
name = "home"

[sip]
listen = ["udp:127.0.0.1:5060"]
registrar = { enabled = true }

[trunks.fritz]
server = "sip:fritz.box"
username = "620"
password = "trunk secret"
number = "600"

[lines.anna]
number = "201"
password = "line secret"
[lines.ben]
number = "202"
trunk = "fritz"
[lines.lobby]
number = "203"
contact = "sip:203@127.0.0.1:5070"

[users.anna]
line = "anna"
[users.ben]
line = "ben"

[groups.support]
number = "600"
members = ["anna", "ben", { line = "lobby", tier = 1 }]
leaders = ["anna"]
[groups.office]
number = "601"
members = ["anna"]

[codes]
login = "*41"

[mqtt]
broker = "mqtt://localhost"

[desks.anna]
member = "anna"
buttons = [{ gpio = 17, press = "toggle support" }]
lamps = [{ gpio = 27, shows = "login support" }]
"""


def changed(old: str = "", new: str = "") -> str:
    """Return the configuration with a piece replaced, or, where `old` is "", with `new` added at its end."""
    if not old:
        return f"{OFFICE}{new}\n"
    assert OFFICE.count(old) == 1, f"{old!r} stands there {OFFICE.count(old)} times"
    return OFFICE.replace(old, new)


def settings_of(text: str, environ: Mapping[str, str] | None = None, base: Path = Path("/nowhere")) -> Settings:
    """Return the settings of a text. Raises ConfigError."""
    return parse(text, base, environ or {})


def mistakes(text: str, environ: Mapping[str, str] | None = None, base: Path = Path("/nowhere")) -> list[str]:
    """Return what is said about each mistake in a text; nothing where it is right."""
    try:
        settings_of(text, environ, base)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
