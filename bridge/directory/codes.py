"""What phones dial beside numbers: a code, then the number or name of what it is about. `*41600` logs in to 600."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """What a code does."""

    LOGIN = "login"
    LOGOUT = "logout"
    TOGGLE = "toggle"
    PICKUP = "pickup"
    MENU = "menu"
    NIGHT = "night"


class Dialled(NamedTuple):
    """A code, and what was dialled after it ("" for nothing)."""

    code: Code
    target: str = ""


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes; None where one is not in use."""

    login: str | None = None
    logout: str | None = None
    toggle: str | None = None
    pickup: str | None = None
    menu: str | None = None
    night: str | None = None

    def read(self, dialled: str) -> Dialled | None:
        """Return what was dialled, None where it begins with no code; of several the longest counts.

        Phones dial the pickup code and what a key watches where that blinks: before another code it means nothing.
        """
        found = [(code, each) for each in fields(self) if (code := getattr(self, each.name)) is not None]
        matching = [(code, each) for code, each in found if dialled.startswith(code)]
        if not matching:
            return None
        code, field = max(matching, key=lambda pair: len(pair[0]))
        rest = dialled[len(code) :]
        behind = self.read(rest) if field.name == Code.PICKUP else None
        return behind or Dialled(Code(field.name), rest)
