"""All that commands change and the store keeps: logins and night switches, together."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.directory.logins import LoginChange, Logins
from bridge.directory.nights import NightChange, Nights

Change = LoginChange | NightChange


class Confirmed:
    """What has been written; or, as a copy, a draft to decide on."""

    def __init__(self, logins: Logins | None = None, nights: Nights | None = None) -> None:
        self.logins = logins or Logins()
        self.nights = nights or Nights()

    def apply(self, changes: Iterable[Change]) -> None:
        """Take over changes."""
        for change in changes:
            if isinstance(change, LoginChange):
                self.logins.apply((change,))
            else:
                self.nights.apply((change,))

    def copy(self) -> Confirmed:
        """Return a draft."""
        return Confirmed(self.logins.copy(), self.nights.copy())
