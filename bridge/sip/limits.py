"""How much each source address may ask of us: buckets of messages that refill with time, in bounded memory.

A stranger has a small bucket, and all strangers together share one, so that many forged addresses get no more out of
us than a few. Whom we know (a static contact, a trunk's server, a registered phone) has a bucket of its own that only
a flood empties, and is served whatever strangers do. What is over is not answered, for an answer to a forged address
would hit somebody else. An IPv6 stranger is the /64 that its address is in: it has as many addresses as it likes.

The same addresses bound what is told to people: a line for each and minute, and not more than a few in all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple


class Rate(NamedTuple):
    """Messages a second in the long run, and how many at once."""

    per_second: float
    at_once: float


STRANGER = Rate(20.0, 100.0)
PHONE = Rate(20.0, 100.0)  # registrations, and calls, of a line whose phone registers
STRANGERS = Rate(200.0, 500.0)
PEER = Rate(10_000.0, 10_000.0)
LINES = Rate(20.0 / 60.0, 20.0)
REFUSALS = Rate(1.0, 60.0)  # refused calls to the outside of a line that are told
SERVICES = Rate(2.0, 30.0)  # codes that a line dials: each may be a write to the disk
IN_VAIN = Rate(5.0, 100.0)  # calls of a trunk or line that come to nothing at once

MOST_SOURCES = 4096
LOOK_AGAIN = 60.0  # seconds after which it is asked again whether a source is known
QUIET = 60.0  # seconds from one line about a source to the next


class Bucket:
    """What one source may still send."""

    __slots__ = ("at", "checked", "known", "left", "rate", "told")

    def __init__(self, rate: Rate, now: float, known: bool = False) -> None:
        self.rate = rate
        self.left = rate.at_once
        self.at = now
        self.known = known
        self.checked = now
        self.told = -QUIET

    def take(self, now: float) -> bool:
        """Take one message; False where nothing is left."""
        per_second, at_once = self.rate
        left = self.left + (now - self.at) * per_second
        self.at = now
        if left < 1.0:
            self.left = left
            return False
        self.left = left - 1.0 if left < at_once else at_once - 1.0
        return True


class Paces:
    """How often something may be done by each of those whom we know, by name; `rate` is that of each."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: dict[object, Bucket] = {}

    def take(self, who: object, now: float) -> bool:
        """Count one time more; False where it is too often. A clock that is set back does no harm."""
        bucket = self._buckets.get(who)
        if bucket is None:
            if len(self._buckets) >= MOST_SOURCES:  # after many configurations
                self._buckets.clear()
            bucket = self._buckets[who] = Bucket(self._rate, now)
        bucket.at = min(bucket.at, now)
        return bucket.take(now)

    def used_up(self, who: object, now: float) -> bool:
        """Whether the next time is too often."""
        bucket = self._buckets.get(who)
        return bucket is not None and bucket.left + (now - bucket.at) * self._rate.per_second < 1.0


class Limits:
    """The buckets of all sources. `known` tells whether a host is that of a peer of ours."""

    def __init__(self, known: Callable[[str], bool], now: float = 0.0) -> None:
        self._known = known
        self._buckets: dict[str, Bucket] = {}
        self._strangers = Bucket(STRANGERS, now)
        self._lines = Bucket(LINES, now)

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, host: str, now: float) -> bool:
        """Tell whether one more message from this host is to be looked at."""
        bucket = self._buckets.get(host) or self._find(host, now)
        if now - bucket.checked > LOOK_AGAIN:
            bucket = self._look_again(host, now)
        if bucket.known:
            return bucket.take(now)
        return (bucket.take(now) and self._strangers.take(now)) or self._known_by_now(host, bucket, now)

    def may_tell(self, host: str, now: float) -> bool:
        """Tell whether a line about this host may be written now; counts as written."""
        bucket = self._find(host, now)
        if now - bucket.told < QUIET or not self._lines.take(now):
            return False
        bucket.told = now
        return True

    def _find(self, host: str, now: float) -> Bucket:
        """Return a host's bucket, its own or its network's, a new one where there is none."""
        known = self._known(host)
        key = host if known else network(host)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MOST_SOURCES:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[key] = Bucket(PEER if known else STRANGER, now, known)
        return bucket

    def _look_again(self, host: str, now: float) -> Bucket:
        """Return a host's bucket, of the kind that it is due now."""
        bucket = self._find(host, now)
        bucket.checked = now
        known = self._known(host)
        if known is not bucket.known:
            bucket.known, bucket.rate = known, PEER if known else STRANGER
            bucket.left = bucket.rate.at_once
        return bucket

    def _known_by_now(self, host: str, bucket: Bucket, now: float) -> bool:
        """Whether a stranger who sends too much has become a peer meanwhile; asked once a second."""
        if now - bucket.checked < 1.0:
            return False
        bucket = self._look_again(host, now)
        return bucket.known and bucket.take(now)


@lru_cache(maxsize=1024)
def network(host: str) -> str:
    """Return what stands for a stranger's host: an IPv4 address itself, an IPv6 address's /64."""
    if ":" not in host:
        return host
    try:
        packed = ipaddress.IPv6Address(host.partition("%")[0]).packed
    except ValueError:
        return host
    return f"{packed[:8].hex(':', 2)}::/64"
