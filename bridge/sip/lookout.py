"""The lookout of a leg: whether the peer is still there, which a talk does not say by itself.

| the peer | then |
|---|---|
| is silent for long, or was last heard of before a restart | it is asked: UPDATE where it takes that, else OPTIONS |
| asked for a session timer that it refreshes itself (RFC 4028) | it is gone when the refresh stays away |
| asked for one that we refresh | we ask after half of its time |

An OPTIONS may be answered by a phone that knows nothing of dialogs; only silence says that it is gone. After a restart,
which may have been a power cut of the phone as well, it is believed when it says so.
"""

from __future__ import annotations

from bridge.sip.message import Request, Response
from bridge.sip.session_timer import agreed

LOOK_AFTER = 600.0  # seconds between looks whether a silent peer is still there
LOOK_SOON = 20.0  # after a restart


class Lookout:
    """One leg's, from when its dialog is confirmed. All times are seconds, monotonic."""

    __slots__ = ("_doubted", "_look_at", "_refresh_by", "takes_update")

    def __init__(self) -> None:
        self.takes_update = False
        self._doubted = False  # it is from before a restart
        self._look_at: float | None = None
        self._refresh_by: float | None = None  # when a session timer of the peer's runs out

    def begin(self, now: float) -> None:
        """Look after the peer from now on."""
        self._look_at = now + LOOK_AFTER

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
        if timer is None:  # none asked for any more: the session does not expire (§7.2)
            self._refresh_by = None
            return False
        for name, value in timer.headers.items():
            response.set(name, value)
        self._refresh_by = None if timer.ours else timer.over(now)
        if timer.ours:
            self._look_at = now + timer.expires / 2
        return True

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
        self._look_at = now + LOOK_AFTER
        return True

    @property
    def method(self) -> str:
        """What the peer is asked with."""
        return "UPDATE" if self.takes_update else "OPTIONS"

    def lost(self, method: str, status: int) -> bool:
        """Whether an answer to that says that the peer is gone."""
        return status == 408 or (status == 481 and (method == "UPDATE" or self._doubted))
