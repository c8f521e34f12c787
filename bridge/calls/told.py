"""What each leg has been told by descriptions of ours, so that their versions go on from there."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from bridge.media.carriage import Told
from bridge.sip.leg import Leg


class AllTold:
    """What each leg has been told by `o=` lines of ours, for as long as the leg is: it outlives a transfer.

    `session` gives ids, digits.
    """

    def __init__(self, session: Callable[[], str]) -> None:
        self._session = session
        self._by_leg: WeakKeyDictionary[Leg, Told] = WeakKeyDictionary()

    def new(self) -> Told:
        """Return a begin."""
        return Told(self._session())

    def of(self, leg: Leg, fresh: Told) -> Told:
        """Return what a leg has been told; from now on `fresh` where that is nothing yet."""
        return self._by_leg.setdefault(leg, fresh)
