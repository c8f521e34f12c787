"""A 2xx of ours to an INVITE, which goes out again until its ACK comes (RFC 3261 §13.3.1.4)."""

from __future__ import annotations

from bridge.sip.flow import Send
from bridge.sip.transaction import T1, T2, TIMEOUT


class Unacknowledged:
    """One of them; `seq` is the INVITE's."""

    __slots__ = ("_again", "_expires", "_interval", "send", "seq")

    def __init__(self, seq: int, send: Send, now: float) -> None:
        self.seq = seq
        self.send = send
        self._interval = T1
        self._again = now + T1
        self._expires = now + TIMEOUT

    @property
    def due(self) -> float:
        """When it goes out again, or is given up."""
        return min(self._again, self._expires)

    def given_up(self, now: float) -> bool:
        """Whether no ACK will come any more."""
        return now >= self._expires

    def repeats(self, now: float) -> bool:
        """Whether it goes out again now; the next time is set."""
        if now < self._again:
            return False
        self._interval = min(self._interval * 2, T2)
        self._again = now + self._interval
        return True
