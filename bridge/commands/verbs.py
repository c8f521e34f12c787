"""From a verb and its arguments, as they come through any door, to a command: strict and clear."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from bridge.commands.linewords import parse_line
from bridge.commands.model import NIGHT, Command, CommandError, LineVerb, LoginCommand, LoginVerb, NightCommand
from bridge.commands.moments import moment, seconds
from bridge.commands.words import NAME_LENGTH, check_fields, named, required, text
from bridge.directory.nights import Night

REASON_LENGTH = 200
TRANSACTION_LENGTH = 128
TOGGLE = "toggle"

COMMANDS: tuple[str, ...] = (*LoginVerb, NIGHT, *LineVerb)
_LINE_VERBS = frozenset(LineVerb)
QUERIES: tuple[str, ...] = (
    "status",
    "groups",
    "group",
    "member",
    "opening",
    "lines",
    "line",
    "calls",
    "explain",
    "rights",
    "monitor",
)
SEEN = "seen"
"""What a satellite tells of a member at its desk, who has seen what a group has missed; the owner's."""
LOOKUPS: tuple[str, ...] = ("journal", "statistics", "explain")  # questions whose answers may lie on the disk


def parse(
    verb: str,
    arguments: Mapping[str, Any],
    wall: float,
    *,
    own: str | None = None,
    zone: datetime.tzinfo | None = None,
) -> Command:
    """Return the command that `verb` with `arguments` means: group, member, for, until, reason; night; see `linewords`.

    `wall` is UTC seconds; `own` is the member that is meant where none is named (a user's own topics);
    `zone` is the zone of clock times, None for the machine's. Raises CommandError `unknown_verb` or
    `bad_request`.
    """
    if verb not in COMMANDS:
        right = ", ".join(dict.fromkeys(COMMANDS + QUERIES + LOOKUPS))
        raise CommandError("unknown_verb", f"there is no verb {verb[:NAME_LENGTH]!r}; verbs are: {right}")
    if verb == NIGHT:
        return _night(arguments)
    if verb in _LINE_VERBS:
        return parse_line(LineVerb(verb), arguments, own)
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


def transaction_key(value: object) -> str | None:
    """Return what tells one transaction from another, or None; raises CommandError `bad_request`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise CommandError("bad_request", f"transaction is {named(value)}; right is text or a whole number")
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
