"""From a verb and its arguments, as they come through any door, to a command: strict and clear."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from bridge.commands.model import NIGHT, Command, CommandError, LoginCommand, LoginVerb, NightCommand
from bridge.commands.moments import moment, seconds
from bridge.directory.nights import Night

NAME_LENGTH = 64  # characters; longer than any name or number that can be configured
REASON_LENGTH = 200
TRANSACTION_LENGTH = 128
TOGGLE = "toggle"

COMMANDS: tuple[str, ...] = (*LoginVerb, NIGHT)
QUERIES: tuple[str, ...] = ("status", "groups", "group", "member", "opening", "lines", "line", "calls", "explain")

_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, line and paragraph separators


def parse(
    verb: str,
    arguments: Mapping[str, Any],
    wall: float,
    *,
    own: str | None = None,
    zone: datetime.tzinfo | None = None,
) -> Command:
    """Return the command that `verb` with `arguments` (group, member, for, until, reason; night) means.

    `wall` is UTC seconds; `own` is the member that is meant where none is named (a user's own topics);
    `zone` is the zone of clock times, None for the machine's. Raises CommandError `unknown_verb` or
    `bad_request`.
    """
    if verb not in COMMANDS:
        right = ", ".join(COMMANDS + QUERIES)
        raise CommandError("unknown_verb", f"there is no verb {verb[:NAME_LENGTH]!r}; verbs are: {right}")
    if verb == NIGHT:
        return _night(arguments)
    kind = LoginVerb(verb)
    timed = () if kind is LoginVerb.UNPAUSE else ("for", "until", "reason")
    check_fields(verb, arguments, ("group", "member", *timed))
    member = text(arguments, "member", NAME_LENGTH) or own
    return LoginCommand(
        kind,
        group=required(arguments, "group"),
        member=member if member else required(arguments, "member"),
        for_seconds=_length(arguments),
        until=_until(arguments, wall, zone),
        reason=text(arguments, "reason", REASON_LENGTH),
    )


def _night(arguments: Mapping[str, Any]) -> NightCommand:
    check_fields(NIGHT, arguments, ("group", "night"))
    group = required(arguments, "group")
    if isinstance(arguments.get("night"), bool):
        return NightCommand(group, open=not arguments["night"])
    word = text(arguments, "night", NAME_LENGTH) or ""
    if word == TOGGLE:
        return NightCommand(group)
    try:
        return NightCommand(group, Night(word))
    except ValueError:
        wrong = f"night is {word!r}" if word else "night is missing"
        raise CommandError("bad_request", f"{wrong}; right are {', '.join(Night)}, {TOGGLE}, true and false") from None


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
        raise CommandError("bad_request", f"{key} is {_named(value)}; right is text")
    if len(value) > longest:
        raise CommandError("bad_request", f"{key} has {len(value)} characters; right are {longest} at most")
    if any(unicodedata.category(c) in _FORBIDDEN for c in value):
        raise CommandError("bad_request", f"{key} has control characters; right is one line of plain text")
    return value.strip() or None


def transaction_key(value: object) -> str | None:
    """Return what tells one transaction from another, or None; raises CommandError `bad_request`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise CommandError("bad_request", f"transaction is {_named(value)}; right is text or a whole number")
    key = f"{type(value).__name__}:{value}" if isinstance(value, str) or abs(value) < 10**18 else ""
    if not key or len(key) > TRANSACTION_LENGTH + 4:
        raise CommandError("bad_request", f"transaction is longer than {TRANSACTION_LENGTH} characters")
    return key


def _length(arguments: Mapping[str, Any]) -> float | None:
    if arguments.get("for") is None:
        return None
    if arguments.get("until") is not None:
        raise CommandError("bad_request", "for and until are given; right is one of them")
    try:
        return seconds(_short(arguments["for"]))
    except ValueError as wrong:
        raise CommandError("bad_request", f"for: {wrong}") from None


def _until(arguments: Mapping[str, Any], wall: float, zone: datetime.tzinfo | None) -> float | None:
    written = text(arguments, "until", NAME_LENGTH)
    if written is None:
        return None
    try:
        return moment(written, wall, zone)
    except ValueError as wrong:
        raise CommandError("bad_request", f"until: {wrong}") from None


def _short(value: object) -> object:
    """Return a value that is safe to repeat in a message."""
    return value if isinstance(value, int | float) else str(value)[:NAME_LENGTH]


def _named(value: object) -> str:
    """Return what JSON calls a value's type."""
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)
