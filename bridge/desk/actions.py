"""What a button does: words from the configuration to a command in the name of the desk's member."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.commands.model import LoginCommand, LoginVerb

ALL = "all"

_VERBS = frozenset(LoginVerb)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: a word, and the group (name, number or "all"), number or nothing that it is about."""

    word: str
    target: str = ""
    for_seconds: float | None = None

    def command(self, member: str) -> LoginCommand | None:
        """Return the command that this is in a member's name, or None for a word without effect."""
        if self.word not in _VERBS:
            return None
        return LoginCommand(LoginVerb(self.word), self.target, member, for_seconds=self.for_seconds)

    def __str__(self) -> str:
        return f"{self.word} {self.target}".rstrip()
