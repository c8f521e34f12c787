"""What asks something of a call's legs beside its talk: a transfer, a hold, somebody who takes a side's place."""

from __future__ import annotations

from abc import ABC, abstractmethod

from bridge.sip.legevents import Replied


class Errand(ABC):
    """Given as the context of a request inside a dialog, it takes the reply."""

    @abstractmethod
    def on_replied(self, event: Replied, now: float) -> None:
        """Take the reply to a request of its own."""


class Interruptible(Errand):
    """One that somebody waits for, so that it has to be told when the call is over before it is done (`Errands`)."""

    @abstractmethod
    def call_over(self, now: float) -> None:
        """Take note that the call has ended meanwhile."""
