"""The telephony before the exchange stands: nothing is known of any line, and no call is up."""

from __future__ import annotations

from bridge.calls.status import CallStatus, LineState, LineStatus, Story, TrunkStatus


class Quiet:
    """A `Telephony` that has nothing to tell."""

    def line(self, name: str) -> LineStatus:
        """Return that the line's state is unknown."""
        return LineStatus(name, LineState.UNKNOWN, 0.0)

    def trunks(self) -> tuple[TrunkStatus, ...]:
        """Return no trunk."""
        return ()

    def calls(self) -> tuple[CallStatus, ...]:
        """Return no call."""
        return ()

    def ringing(self, group: str) -> bool:
        """Return that nothing rings."""
        return False

    def waiting(self, group: str) -> tuple[float, ...]:
        """Return that nobody waits."""
        return ()

    def wraps_up(self, member: str) -> float | None:
        """Return that nobody is in wrap-up."""
        return None

    def story(self, call: str | None) -> Story | None:
        """Return no story."""
        return None
