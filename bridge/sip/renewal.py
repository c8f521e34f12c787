"""What is asked for again and again at a PBX, a registration or a subscription: for how long, and when the next time.

| the PBX | then |
|---|---|
| grants it | asked again after half to three quarters of it, so that a lost request is noticed and tried again |
| says that it is too short (423) | asked for what it wants, a few times at the most |
| fails | asked again: after 4 s at first, after 5 minutes in the end; half of it to all of it is waited |
| refuses | knocked again, as rarely as the asker likes; it to one and a half of it is waited |

So nothing that has failed is given up, nothing spins, and many bridges that lost one PBX do not come back at once. The
PBX's own Retry-After makes a wait longer, never shorter.
"""

from __future__ import annotations

import random

from bridge.sip.grammar import SipError
from bridge.sip.message import Response

_REFRESH_AT = (0.5, 0.75)  # of what was granted
_LEAST_REFRESH = 2.0
_RETRY = (4.0, 300.0)  # seconds, first and longest
_LONGEST_RETRY_AFTER = 3600.0
_LONGEST_EXPIRES = 86400
_MOST_RAISES = 3


class Renewal:
    """One of them. `expires`: seconds that are asked for; `knock`: first and longest wait after a refusal, seconds."""

    def __init__(self, expires: int, knock: tuple[float, float], rng: random.Random) -> None:
        self.expires = expires
        self.refusals = 0  # in a row
        self._knock = knock
        self._rng = rng
        self._failures = 0  # in a row
        self._raises = 0  # of `expires` by 423, without a success
        self._retry_after = 0.0

    def forget(self) -> None:
        """Begin anew: nothing has failed."""
        self._failures = self.refusals = self._raises = 0

    def read(self, response: Response | None) -> None:
        """Take how long the PBX wants to be left alone; None: it has not answered."""
        wanted = _seconds(response, "Retry-After") if response is not None else 0
        self._retry_after = min(float(wanted), _LONGEST_RETRY_AFTER)

    def leave_alone(self, seconds: float) -> None:
        """Take how long the PBX wants to be left alone, where no response says it."""
        self._retry_after = min(seconds, _LONGEST_RETRY_AFTER)

    def raised(self, response: Response) -> bool:
        """Ask for what a 423 wants from now on; False where that is no use."""
        least = _seconds(response, "Min-Expires")
        if not self.expires < least <= _LONGEST_EXPIRES or self._raises >= _MOST_RAISES:
            return False
        self._raises += 1
        self.expires = least
        return True

    def refresh_in(self, granted: int) -> float:
        """Return after how many seconds to ask again for what was granted for so many."""
        self.forget()
        return max(_LEAST_REFRESH, granted * self._rng.uniform(*_REFRESH_AT))

    def failed(self) -> float:
        """Return after how many seconds to ask again after a failure, longer each time."""
        self._raises = 0
        first, longest = _RETRY
        pause = min(longest, first * 2.0 ** min(self._failures, 16)) * self._rng.uniform(0.5, 1.0)
        self._failures += 1
        return max(pause, self._retry_after)

    def refused(self) -> float:
        """Return after how many seconds to knock again after a refusal."""
        self._raises = 0
        first, longest = self._knock
        pause = min(longest, first * 2.0 ** min(self.refusals, 16)) * self._rng.uniform(1.0, 1.5)
        self.refusals += 1
        return max(pause, self._retry_after)


def words(response: Response) -> str:
    """Return the PBX's words for people: one line, nothing unprintable."""
    return f"{response.code} {''.join(c for c in response.phrase if c.isprintable())[:80]}".rstrip()


def _seconds(response: Response, header: str) -> int:
    """Return a header's number of seconds; 0 where there is none that can be read."""
    try:
        return response.number(header) or 0
    except SipError:
        return 0
