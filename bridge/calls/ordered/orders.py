"""What the exchange is told to do with a line's calls: decided and authorised, by value (`commands.control`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.commands.model import LineVerb, Reply


@dataclass(frozen=True, slots=True)
class Order:
    """Do something with the calls of a line (its name), which is `member`'s: the user's name, else the line's own.

    `number` is to be dialled or transferred to (transfer without: the line's two talks become one). `call` names the
    call, None: the one that it can only be; of a pick-up it is the call that rings elsewhere and is to go to the
    line's phone. `by` and `origin`: who asked, through which door.
    """

    verb: LineVerb
    line: str
    member: str
    by: str
    origin: str
    number: str | None = None
    call: str | None = None


Answer = Callable[[Reply], None]
"""Told once how an order ended."""
