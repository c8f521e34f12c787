"""Plain values for a store that writes only what is another object than at its last write."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

Plain = dict[str, Any]

_CLOCK_MOVED = 1.0  # seconds; less is no reason to write every expiry anew


class Stored:
    """What was last made of each value, by a key that changes with all that is to be written of it.

    So the refresh of one phone writes one row and not those of all. Times in them are UTC: where the wall clock was
    set, all are made anew.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[float, Plain]] = {}  # with the wall clock's lead at that time

    def plain(self, values: Iterable[tuple[Hashable, Callable[[], Plain]]], now: float, wall: float) -> list[Plain]:
        """Return each value by its key, as it was made before, or made now."""
        before, self._made = self._made, {}
        lead = wall - now
        for key, make in values:
            entry = before.get(key)
            if entry is None or abs(entry[0] - lead) > _CLOCK_MOVED:
                entry = lead, make()
            self._made[key] = entry
        return [plain for _, plain in self._made.values()]
