from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bridge.config.load import parse
from bridge.config.problems import ConfigError
from bridge.config.settings import Settings

WORDS = st.sampled_from(
    [
        *(
            "name",
            "listen",
            "server",
            "username",
            "password",
            "number",
            "trunk",
            "contact",
            "line",
            "members",
            "member",
        ),
        *("leaders", "overflow", "strategy", "gpio", "key", "press", "shows", "buttons", "lamps", "panel", "login"),
        *(
            "anna",
            "a",
            "600",
            "sip:a",
            "mqtt://a",
            "toggle a",
            "*4",
            "all",
            "file",
            "env",
            "register",
            "(name)",
            "[key]",
        ),
    ]
)
TEXT = WORDS | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCALAR = TEXT | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


def tables(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return tables of such values."""
    return st.dictionaries(TEXT, inner, max_size=4)


VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | tables(inner), max_leaves=8)
NAMED = tables(tables(VALUE) | VALUE) | VALUE
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        section: NAMED
        for section in ("site", "sip", "trunks", "lines", "users", "groups", "codes", "mqtt", "desks", "what")
    },
)


def toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ", \n".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value)


def quoted(text: str) -> str:
    """Write text as TOML; what JSON leaves bare and TOML does not is escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SECTIONS)
@example({"[key]": 1})
@example({"groups": {"a": {"members": [{"(table)": 1}], "overflow": "a"}, "b": 5}})
def test_anything_is_taken_or_told(data: dict[str, Any]) -> None:
    """Whatever is written under whatever key, there are settings or mistakes with their lines, and no other error."""
    text = "".join(f"{quoted(section)} = {toml(value)}\n" for section, value in data.items())
    try:
        assert isinstance(parse(text, Path("/nowhere"), {}), Settings)
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.what
            assert problem.line or not text or problem.path == "sip"
