"""Which numbers may be called outside, by whom: pure rules that a toll fraud has to get past.

A line calls outside through the trunks of its `dial_out` alone. A number is looked at as the national network would
dial it: the own country's code becomes a 0, "+" the 00 of other countries. What begins with a prefix of `refuse` costs
and is refused, unless a longer one of `allow` (the site's or the line's) begins it too. Letters of dialling other than
digits (`*31#`, `**611`, `#96*7*`) command a PBX and are refused but for what is allowed. Emergency numbers may always
be called, by every phone of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

COSTLY = ("00", "0900", "0190", "0137", "0138", "0180", "0118", "118", "010", "019", "032")
"""Other countries, premium rate, televoting, shared cost, directory enquiries, call by call (Germany)."""
EMERGENCY = ("110", "112")
DAILY = 50

_DIGITS = re.compile(r"[0-9]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class OutsideRules:
    """The site's rules. `country`: its code, digits. `daily`: calls a line may make a day.

    `forward`: whether callers from outside may be sent outside again, by a diversion or a transfer.
    """

    country: str = "49"
    refuse: tuple[str, ...] = COSTLY
    allow: tuple[str, ...] = ()
    emergency: tuple[str, ...] = EMERGENCY
    daily: int = DAILY
    forward: bool = False

    def is_emergency(self, number: str) -> bool:
        """Whether a number is one that everybody may call."""
        return number in self.emergency

    def why_not(self, number: str, allow: Iterable[str] = ()) -> str:
        """Return why a number is not called, "" where it may be; `allow`: the line's own prefixes."""
        plain = national(number, self.country)
        allowed = self._longest(plain, (*self.allow, *allow))
        if not _DIGITS.match(plain):
            return "" if allowed else f"{number} is no plain number; digits with a + in front are"
        refused = self._longest(plain, self.refuse)
        if refused and len(refused) >= len(allowed):
            return f"numbers that begin with {refused} are not called"
        return ""

    def _longest(self, plain: str, prefixes: Iterable[str]) -> str:
        """Return the longest prefix that begins a number, both as they are dialled within the country."""
        dialled = (national(prefix, self.country) for prefix in prefixes)
        return max((prefix for prefix in dialled if plain.startswith(prefix)), key=len, default="")


def national(number: str, country: str) -> str:
    """Return a number as it is dialled within its country: +49301 and 0049301 are 0301, +43 is 0043."""
    if number.startswith("+"):
        number = f"00{number[1:]}"
    own = f"00{country}"
    if country and number.startswith(own):
        return "0" + number[len(own) :].lstrip("0")
    return number
