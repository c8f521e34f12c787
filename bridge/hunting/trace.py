"""The decision trace of a hunt: all decisions in order, each with its reason in words people understand."""

from __future__ import annotations

from bridge.hunting.abridged import Abridged
from bridge.hunting.candidate import Candidate
from bridge.hunting.model import Decision


class Trace:
    """Decisions as they are made; `decisions` may be read at any time."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = Abridged(
            lambda count, after: Decision(after.at, None, "left out", f"{count} decisions")
        )

    def about(self, candidate: Candidate, now: float, what: str, why: str = "") -> None:
        """Note what became of a member's offer."""
        self.decisions.append(Decision(now, candidate.name, what, why))

    def whole(self, now: float, what: str, why: str = "") -> None:
        """Note a decision about the hunt as a whole."""
        self.decisions.append(Decision(now, None, what, why))

    def passed_over(self, candidate: Candidate, now: float, what: str, why: str) -> None:
        """Note why a member gets no offer now; the same reason is not repeated until the next offer."""
        if why != candidate.skipped:
            candidate.skipped = why
            self.decisions.append(Decision(now, candidate.name, what, why))
