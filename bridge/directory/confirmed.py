"""All that commands change and the store keeps: logins, night switches and lines' handling, together."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.directory.handling import HandlingChange, Handlings
from bridge.directory.logins import LoginChange, Logins
from bridge.directory.nights import NightChange, Nights

Change = LoginChange | NightChange | HandlingChange


class Confirmed:
    """What has been written; or, as a copy, a draft to decide on."""

    def __init__(
        self, logins: Logins | None = None, nights: Nights | None = None, handlings: Handlings | None = None
    ) -> None:
        self.logins = logins or Logins()
        self.nights = nights or Nights()
        self.handlings = handlings or Handlings()

    def apply(self, changes: Iterable[Change]) -> None:
        """Take over changes."""
        for change in changes:
            if isinstance(change, LoginChange):
                self.logins.apply((change,))
            elif isinstance(change, NightChange):
                self.nights.apply((change,))
            else:
                self.handlings.apply((change,))

    def copy(self) -> Confirmed:
        """Return a draft."""
        return Confirmed(self.logins.copy(), self.nights.copy(), self.handlings.copy())
