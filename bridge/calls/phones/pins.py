"""Guarding PINs: who guesses waits ever longer, and is locked out, by the number that is tried and by the caller alike.

A number that is nobody's is treated as one that is somebody's, so that nothing tells which numbers there are. What a
caller shows as number is easily made up; that is why the number that is tried is locked as well, whoever tries it. What
is remembered is bounded: the oldest is forgotten first, but never while it is locked and something else is not, and
never a number that has a PIN.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

FREE = 3  # wrong tries before the first lock-out
LONGEST_DELAY = 8.0  # seconds that a verdict takes
FIRST_LOCK = 300.0
LONGEST_LOCK = 86_400.0
FORGOTTEN_AFTER = 2 * LONGEST_LOCK
MOST_REMEMBERED = 1000


class Verdict(Enum):
    """What a try came to."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(slots=True)
class _Tries:
    """Wrong tries in a row; times are monotonic seconds."""

    wrong: int = 0
    locked_until: float = 0.0
    last: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, which is to be told after `delay` seconds. `locked_for`: seconds from now, 0 where it is not."""

    verdict: Verdict
    delay: float
    wrong: int = 0
    locked_for: float = 0.0


class Pins:
    """Everybody's tries."""

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], _Tries] = {}

    def judge(self, number: str, pin: str, caller: str, pins: Mapping[str, str], now: float) -> Judged:
        """Return what a PIN for a number is worth; `pins` by number, `caller` is whoever tries."""
        places = (("number", number), ("caller", caller))
        tries = [self._find(place, pins, now) for place in places]
        locked = max(each.locked_until for each in tries) - now
        known = pins.get(number)
        right = hmac.compare_digest((known or "-").encode(), pin.encode()) and known is not None
        delay = min(LONGEST_DELAY, 0.5 * 2.0 ** max(each.wrong for each in tries))
        if locked > 0:
            return Judged(Verdict.LOCKED, delay, max(each.wrong for each in tries), locked)
        if right:
            for place in places:
                self._tries.pop(place, None)
            return Judged(Verdict.RIGHT, 0.0 if delay <= 0.5 else delay)
        for each in tries:
            each.wrong += 1
            each.last = now
            if each.wrong % FREE == 0:
                each.locked_until = now + min(LONGEST_LOCK, FIRST_LOCK * 2.0 ** (each.wrong // FREE - 1))
        locked = max(0.0, max(each.locked_until for each in tries) - now)
        return Judged(Verdict.LOCKED if locked else Verdict.WRONG, delay, max(e.wrong for e in tries), locked)

    def _find(self, place: tuple[str, str], pins: Mapping[str, str], now: float) -> _Tries:
        found = self._tries.get(place)
        if found is not None and now - found.last > FORGOTTEN_AFTER:
            found = None
        if found is None:
            self._make_room(pins, now)
            found = self._tries[place] = _Tries(last=now)
        return found

    def _make_room(self, pins: Mapping[str, str], now: float) -> None:
        """Forget somebody, never a number that has a PIN: many made-up callers would else bring ever new tries."""
        if len(self._tries) < MOST_REMEMBERED:
            return
        others = [place for place in self._tries if place[0] == "caller" or place[1] not in pins]
        open_ones = [place for place in others if self._tries[place].locked_until <= now]
        if others:
            del self._tries[open_ones[0] if open_ones else others[0]]
