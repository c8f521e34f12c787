"""What a button does: words from the configuration to a command in the name of the desk's member."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.commands.model import NIGHT, Command, LineCommand, LineVerb, LoginCommand, LoginVerb, NightCommand

ALL = "all"

_VERBS = frozenset(LoginVerb)
_LINE_VERBS = frozenset(LineVerb)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: a word, and the group (name, number or "all"), number or nothing that it is about."""

    word: str
    target: str = ""
    for_seconds: float | None = None

    def command(self, member: str) -> Command | None:
        """Return the command that this is in a member's name, or None for a word without effect.

        A night button turns the switch round: it opens a group that is closed, by its hours too, and closes one that
        is open.
        """
        if self.word == NIGHT:
            return NightCommand(self.target)
        if self.word in _LINE_VERBS:
            return _of_line(LineVerb(self.word), self.target, member)
        if self.word not in _VERBS:
            return None
        return LoginCommand(LoginVerb(self.word), self.target, member, for_seconds=self.for_seconds)

    @property
    def shown_by(self) -> str:
        """The word of the lamps that show what this changes."""
        if self.word in _LINE_VERBS:
            return "ringing"
        return NIGHT if self.word == NIGHT else "login"

    def __str__(self) -> str:
        return f"{self.word} {self.target}".rstrip()


def _of_line(verb: LineVerb, target: str, member: str) -> LineCommand:
    """Return a command for the line of a member."""
    if verb is LineVerb.PICKUP:
        return LineCommand(verb, member=member, group=target)
    return LineCommand(verb, member=member, number=target or None)
