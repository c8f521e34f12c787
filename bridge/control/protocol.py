"""What goes over the control socket: one JSON object a line, both ways.

A request is `{"verb": "login", "arguments": {"group": "support", "member": "anna"}, "transaction": "..."}`; arguments
and transaction may be left out. `as` beside them names the user, or device, as whom the owner acts and sees. The answer
is the contract's response object. After `follow` is answered, every event is a line of its own: it has a `type`, where
an answer has a `status`, and `text`, the event in words, where nothing of it is hidden.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bridge.commands.model import CommandError

LONGEST_LINE = 64 * 1024  # bytes, its end included
FOLLOW = "follow"
AS = "as"
_FIELDS = frozenset({"verb", "arguments", "transaction", AS})


@dataclass(frozen=True, slots=True)
class Request:
    """One line that was understood; `transaction` as it came; `who`: as whom it is to be done, None for the peer."""

    verb: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    transaction: Any = None
    who: str | None = None


def read_request(line: bytes) -> Request:
    """Return what a line asks. Raises CommandError `bad_request`."""
    try:
        body = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise CommandError("bad_request", f"this is no line of JSON; {_RIGHT}") from None
    if not isinstance(body, dict) or not isinstance(body.get("verb"), str):
        raise CommandError("bad_request", f"verb is missing; {_RIGHT}")
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        wrong = ", ".join(repr(key[:40]) for key in unknown[:5])
        raise CommandError("bad_request", f"a request has no {wrong}; {_RIGHT}")
    arguments = body.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise CommandError("bad_request", "arguments is no object; right is one of names and values")
    who = body.get(AS)
    if who is not None and not isinstance(who, str):
        raise CommandError("bad_request", "as is no text; right is the name of a user")
    return Request(body["verb"], arguments, body.get("transaction"), who)


def write_line(body: Mapping[str, Any]) -> bytes:
    """Return an object as a line."""
    return json.dumps(body).encode() + b"\n"


_RIGHT = 'right is {"verb": "...", "arguments": {...}, "transaction": "..."}'


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
