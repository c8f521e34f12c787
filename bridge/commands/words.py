"""What arguments of any verb have in common: names and texts that are checked, and what is said of wrong ones."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from bridge.commands.model import CommandError

NAME_LENGTH = 64  # characters; longer than any name or number that can be configured

_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, line and paragraph separators


def check_fields(verb: str, arguments: Mapping[str, Any], right: Collection[str]) -> None:
    """Raise CommandError `bad_request` for arguments that this verb does not have."""
    unknown = [str(key)[:NAME_LENGTH] for key in arguments if key not in right]
    if unknown:
        may = f"it takes: {', '.join(right)}" if right else "it takes none"
        wrong = ", ".join(map(repr, unknown[:5]))
        raise CommandError("bad_request", f"{verb} has no argument {wrong}; {may}")


def required(arguments: Mapping[str, Any], key: str) -> str:
    """Return a name that has to be there; raises CommandError `bad_request`."""
    value = text(arguments, key, NAME_LENGTH)
    if not value:
        raise CommandError("bad_request", f'{key} is missing; right is the name as text, or "all"')
    return value


def text(arguments: Mapping[str, Any], key: str, longest: int) -> str | None:
    """Return an optional text without control characters, stripped; None where absent, null or empty."""
    value = arguments.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise CommandError("bad_request", f"{key} is {named(value)}; right is text")
    if len(value) > longest:
        raise CommandError("bad_request", f"{key} has {len(value)} characters; right are {longest} at most")
    if any(unicodedata.category(c) in _FORBIDDEN for c in value):
        raise CommandError("bad_request", f"{key} has control characters; right is one line of plain text")
    return value.strip() or None


def named(value: object) -> str:
    """Return what JSON calls a value's type."""
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)
