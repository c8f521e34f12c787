"""What asks something of a call's legs beside its talk: a transfer, a hold, somebody who takes a side's place."""

from __future__ import annotations

from bridge.sip.legevents import Replied


class Errand:
    """Given as the context of a request inside a dialog, it takes the reply."""

    def on_replied(self, event: Replied, now: float) -> None:
        """Take the reply to a request of its own."""
        raise NotImplementedError

    def call_over(self, now: float) -> None:
        """Take note that the call has ended meanwhile, where the call was told of it (`Call.errands`)."""
