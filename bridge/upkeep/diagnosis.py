"""What only the running agent knows of its own health, for `doctor`: counted while it runs, told when it is asked."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.commands.words import check_fields
from bridge.events import CallOver, Event

MOST_LINES = 1000

Verb = Callable[[Mapping[str, Any]], Any]
Known = Callable[[], Mapping[str, Any]]


@dataclass(slots=True)
class Answers:
    """How many calls a line has answered, and how many of them without having rung."""

    all: int = 0
    without_ringing: int = 0


@dataclass(slots=True)
class Diagnosis:
    """Follows events, and answers the verb `diagnosis`. `known` gives what the agent's parts know at that moment."""

    config: Path | None
    state: Path
    known: Known
    answers: dict[str, Answers] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if not isinstance(event, CallOver):
            return
        for part in event.parts:
            if part.line is not None and part.outcome == "answered" and (part.line in self.answers or self._room):
                counts = self.answers.setdefault(part.line, Answers())
                counts.all += 1
                counts.without_ringing += part.rang == 0

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """What is answered."""
        return {"diagnosis": self._tell}

    @property
    def _room(self) -> bool:
        return len(self.answers) < MOST_LINES

    async def _tell(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("diagnosis", arguments, ())
        return {
            "config": str(self.config.resolve()) if self.config else None,
            "state": str(self.state.resolve()),
            "user": _login(),
            "pid": os.getpid(),
            "answers": {
                line: {"all": counts.all, "without_ringing": counts.without_ringing}
                for line, counts in self.answers.items()
            },
            **self.known(),
        }


def _login() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
