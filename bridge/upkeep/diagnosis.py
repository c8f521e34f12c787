"""What only the running agent knows of its own health, for `doctor`."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.commands.words import check_fields

Verb = Callable[[Mapping[str, Any]], Any]
Known = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Answers the verb `diagnosis`. `known` gives what the agent's parts know at that moment."""

    config: Path | None
    state: Path
    known: Known

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """What is answered."""
        return {"diagnosis": self._tell}

    async def _tell(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("diagnosis", arguments, ())
        return {
            "config": str(self.config.resolve()) if self.config else None,
            "state": str(self.state.resolve()),
            "user": _login(),
            "pid": os.getpid(),
            **self.known(),
        }


def _login() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
