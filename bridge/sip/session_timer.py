"""Session timers (RFC 4028): a talk whose refreshes stay away ends by itself.

A caller that brings `Session-Expires` refreshes its session with a re-INVITE or an UPDATE before that time is over; if
it does not, it is gone and both sides are hung up. We ask nobody for a timer ourselves, because every refresh of ours
would be one more thing for a stubborn peer to refuse; `Leg` looks after silent dialogs in its own way.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.sip.grammar import SipError
from bridge.sip.message import Request, Response

LEAST = 90  # seconds, Min-SE (§4)


class Timer(NamedTuple):
    """An agreed timer: seconds, and whether it is we who refresh."""

    expires: int
    ours: bool

    @property
    def headers(self) -> dict[str, str]:
        """What the 2xx says of it (§9)."""
        headers = {"Session-Expires": f"{self.expires};refresher={'uas' if self.ours else 'uac'}"}
        return headers if self.ours else {**headers, "Require": "timer"}

    def over(self, now: float) -> float:
        """Return when a session whose refresh stays away is to be ended, a little early (§10)."""
        return now + self.expires - min(32, self.expires // 3)


def supports_timer(request: Request) -> bool:
    """Whether the peer speaks of session timers."""
    return "timer" in request.tokens("Supported") or "timer" in request.tokens("Require")


def agreed(request: Request) -> Timer | None:
    """Return the timer that an INVITE or UPDATE asks for, None where it asks for none. Raises `SipError`."""
    expires = request.number("Session-Expires")
    if expires is None or not supports_timer(request):
        return None
    refresher = request.need("Session-Expires").lower().replace(" ", "").partition("refresher=")[2]
    return Timer(max(expires, LEAST), refresher.startswith("uas"))


def named(response: Response) -> Timer | None:
    """Return the timer that the 2xx to an INVITE of ours names, though we have asked for none; None where it does not.

    A peer that refreshes by itself may name one; one that leaves it to us is obeyed as well.
    """
    try:
        expires = response.number("Session-Expires")
    except SipError:  # of no use, and no reason to hang up
        return None
    if expires is None:
        return None
    refresher = (response.get("Session-Expires") or "").lower().replace(" ", "").partition("refresher=")[2]
    return Timer(max(expires, LEAST), not refresher.startswith("uas"))


def too_brief(request: Request) -> bool:
    """Whether the asked time is below what we take: 422 with Min-SE is due (§9)."""
    expires = request.number("Session-Expires")
    return expires is not None and expires < LEAST and supports_timer(request)
