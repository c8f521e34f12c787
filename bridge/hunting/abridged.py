"""A list that may be long, but not without end: its beginning and its end are kept, the middle is left out.

A caller may wait for days while phones ring and ring; what is told of that is to be read by people, and held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import SupportsIndex, TypeVar

FIRST = 100  # that are always kept
MOST = 600

T = TypeVar("T")


class Abridged(list[T]):
    """Grows to `MOST`, then gives up what is oldest after the `FIRST`.

    `mark` makes what stands in the place of those that were left out, from how many they are and the first one after
    them; None: nothing does.
    """

    def __init__(self, mark: Callable[[int, T], T] | None = None) -> None:
        super().__init__()
        self._mark = mark
        self._left_out = 0

    def append(self, item: T, /) -> None:
        """Add one."""
        super().append(item)
        if len(self) > MOST:
            self._cut()

    def extend(self, items: Iterable[T], /) -> None:
        """Add some."""
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[T], /) -> Abridged[T]:  # type: ignore[override, misc]
        """Add some."""
        self.extend(items)
        return self

    def clear(self) -> None:
        """Begin anew."""
        super().clear()
        self._left_out = 0

    def _cut(self) -> None:
        """Leave out half of what is not the beginning, so that this is seldom done."""
        marked = self._left_out > 0 and self._mark is not None
        gone = (MOST - FIRST) // 2
        self._left_out += gone - marked
        first: SupportsIndex = FIRST
        del self[first : FIRST + gone]
        if self._mark is not None:
            self.insert(FIRST, self._mark(self._left_out, self[FIRST]))
