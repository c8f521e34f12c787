"""The lookout of a leg: whether the peer is still there, which a talk does not say by itself.

| the peer | then |
|---|---|
| is silent for long, or was last heard of before a restart | it is asked: UPDATE where it takes that, else OPTIONS |
| asked for a session timer that it refreshes itself (RFC 4028) | it is gone when the refresh stays away |
| asked for one that we refresh | it is done each half of its time: UPDATE, else re-INVITE with what we said last |

An OPTIONS may be answered by a phone that knows nothing of dialogs; only silence says that it is gone. After a restart,
which may have been a power cut of the phone as well, it is believed when it says so.
"""

from __future__ import annotations

from bridge.sip.message import Request, Response
from bridge.sip.session_timer import Timer, agreed, named

LOOK_AFTER = 600.0  # seconds between looks whether a silent peer is still there
LOOK_SOON = 20.0  # after a restart


class Lookout:
    """One leg's, from when its dialog is confirmed. All times are seconds, monotonic."""

    __slots__ = ("_doubted", "_look_at", "_refresh_by", "_refreshes", "takes_update")

    def __init__(self) -> None:
        self.takes_update = False
        self._doubted = False  # it is from before a restart
        self._look_at: float | None = None
        self._refresh_by: float | None = None  # when a session timer of the peer's runs out
        self._refreshes: int | None = None  # seconds: a session timer that is ours to refresh

    def begin(self, now: float) -> None:
        """Look after the peer from now on."""
        self._look_at = now + self._pause

    def begin_soon(self, now: float) -> None:
        """See before long whether the peer still knows this dialog, which it may have lost too."""
        self._doubted = True
        self._look_at = now + LOOK_SOON

    def stop(self) -> None:
        """Look after nobody any more."""
        self._look_at = self._refresh_by = None

    def agree(self, request: Request, response: Response, now: float) -> bool:
        """Take the session timer that an INVITE or UPDATE asks for, and say so in its 2xx; False: it asks for none."""
        timer = agreed(request)
        self._set(timer, now)
        if timer is None:  # none asked for any more: the session does not expire (§7.2)
            return False
        for name, value in timer.headers.items():
            response.set(name, value)
        return True

    def take(self, response: Response, now: float) -> None:
        """Take the session timer that a peer whom we have called names in its 2xx (§7.2)."""
        self._set(named(response), now)

    def _set(self, timer: Timer | None, now: float) -> None:
        self._refresh_by = timer.over(now) if timer is not None and not timer.ours else None
        self._refreshes = timer.expires if timer is not None and timer.ours else None
        if self._refreshes is not None:
            self._look_at = now + self._pause

    def refresh_less_often(self, response: Response, now: float) -> None:
        """Take a 422: the peer wants to be refreshed at the soonest after its Min-SE."""
        least = response.number("Min-SE")
        if self._refreshes is not None and least is not None and least > self._refreshes:
            self._refreshes = least
            self._look_at = now

    @property
    def _pause(self) -> float:
        return LOOK_AFTER if self._refreshes is None else min(LOOK_AFTER, self._refreshes / 2)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What a re-INVITE or UPDATE of ours says of a session timer that we refresh; each of them does (§7.4)."""
        if self._refreshes is None:
            return ()
        return ("Supported", "timer"), ("Session-Expires", f"{self._refreshes};refresher=uac")

    @property
    def due(self) -> float | None:
        """When there is something to do."""
        if self._refresh_by is None:
            return self._look_at
        return self._refresh_by if self._look_at is None else min(self._look_at, self._refresh_by)

    def expired(self, now: float) -> bool:
        """Whether the peer has not refreshed its session in time."""
        return self._refresh_by is not None and self._refresh_by <= now

    def looks(self, now: float) -> bool:
        """Whether the peer is to be asked now, if nothing else is just being asked; the next time is set."""
        if self._look_at is None or self._look_at > now:
            return False
        self._look_at = now + self._pause
        return True

    @property
    def method(self) -> str:
        """What the peer is asked with."""
        if self.takes_update:
            return "UPDATE"
        return "OPTIONS" if self._refreshes is None else "INVITE"

    def lost(self, method: str, status: int) -> bool:
        """Whether an answer to that says that the peer is gone."""
        return status == 408 or (status == 481 and (method in ("UPDATE", "INVITE") or self._doubted))
