"""Glare: both sides have sent a re-INVITE at the same time, and each has refused the other's with 491 (RFC 3261 §14.1).

Who asks in our own name tries again, after a pause by whose the Call-ID is, so that the two do not meet again:

| the Call-ID is | pause |
|---|---|
| ours | 2.1 to 4 s |
| the peer's | 0 to 2 s |

A request that is only carried across is not tried again here: its own sender hears the 491 and does that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bridge.sip.message import Body

TRIES = 4
SOON = 0.5  # seconds until what the peer has asked meanwhile will be answered

Uniform = Callable[[float, float], float]


class Again(NamedTuple):
    """A re-INVITE that is to go out again at `at`, seconds, monotonic; `left`: how often it may be tried after that."""

    at: float
    body: Body | None
    context: Any
    left: int


def pause(ours: bool, uniform: Uniform) -> float:
    """Return how many seconds to wait after a 491; `ours`: whether the Call-ID is."""
    return uniform(2.1, 4.0) if ours else uniform(0.0, 2.0)
