"""Places for connections that peers make: who gets one, and who has to give way where there are no more.

A place is taken as soon as a connection is accepted, before anything of TLS is done for it: half-open handshakes would
else be kept in any number. Peers have a few for each address, strangers together only a part of all, and an IPv6
stranger's address is its /64. Who says nothing gives way to newer ones of the same address; among strangers who says
nothing, has been silent for a while, or has most places, gives way to those who have fewer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from bridge.sip.limits import network

_SILENT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """Connections: in all, of strangers, and from one address."""

    connections: int
    strangers: int
    from_one_address: int


class Guest(Protocol):
    """A connection, or one whose handshake is still going on. Times are the loop's, seconds."""

    heard_at: float
    unfinished_since: float

    @property
    def owes_a_message(self) -> bool:
        """Whether the first message, or the rest of one, is still to come."""

    @property
    def ending(self) -> bool:
        """Whether it is on its way out."""

    def abort(self, reason: str) -> None:
        """End it now."""


class Places:
    """All guests. `known` tells whether a host is that of a peer; `others` counts connections that we have made."""

    def __init__(self, limits: PlaceLimits, known: Callable[[str], bool], others: Callable[[], int]) -> None:
        self._limits = limits
        self._known = known
        self._others = others
        self._guests: dict[Guest, tuple[str, str]] = {}  # to its host, and to what it is counted as
        self._counts = Counter[str]()
        self._strangers: set[Guest] = set()  # from hosts that were not known then

    def __len__(self) -> int:
        return len(self._guests)

    def refusal(self, host: str, now: float) -> str | None:
        """Make room for one more from a host; return why there is none, else None."""
        stranger = not self._known(host)
        key = network(host) if stranger else host
        limits = self._limits
        if self._counts[key] >= limits.from_one_address and not self._make_room_of(key):
            return f"over {limits.from_one_address} connections from {key}"
        if stranger and self._too_many_strangers() and not self._make_room_of_strangers(key, now):
            return f"over {limits.strangers} connections of strangers are open"
        if len(self._guests) + self._others() >= limits.connections:
            return f"over {limits.connections} connections are open"
        return None

    def enter(self, guest: Guest, host: str) -> None:
        """Give a place."""
        stranger = not self._known(host)
        key = network(host) if stranger else host
        self._guests[guest] = host, key
        self._counts[key] += 1
        if stranger:
            self._strangers.add(guest)

    def leave(self, guest: Guest) -> None:
        """Take a place back; nothing is done where it was given back already, or never given."""
        _, key = self._guests.pop(guest, ("", ""))
        self._strangers.discard(guest)
        if key:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def _make_room_of(self, key: str) -> bool:
        """End the guest from one address that has owed a message for longest; False where none owes any."""
        every = (guest for guest, (_, counted) in self._guests.items() if counted == key)
        return _end_longest((g for g in every if g.owes_a_message), "newer connections from the same address want it")

    def _too_many_strangers(self) -> bool:
        if len(self._strangers) < self._limits.strangers:
            return False
        self._strangers = {g for g in self._strangers if not self._known(self._guests[g][0])}  # who has registered
        return sum(not guest.ending for guest in self._strangers) >= self._limits.strangers

    def _make_room_of_strangers(self, key: str, now: float) -> bool:
        """End a stranger who does not use its place, or one of those who have more than this one would."""
        why = "other strangers want its place"
        unused = [g for g in self._strangers if g.owes_a_message or now - g.heard_at > _SILENT]
        if _end_longest((g for g in unused if self._guests[g][1] != key), why):
            return True
        most, count = max(self._counts.items(), key=lambda item: item[1])
        if count < self._counts[key] + 2:
            return False
        return _end_longest((g for g in self._strangers if self._guests[g][1] == most), why)


def _end_longest(guests: Iterable[Guest], why: str) -> bool:
    """End the one of whom nothing has come for longest; False where there is none."""
    left = [guest for guest in guests if not guest.ending]
    if left:
        min(left, key=lambda guest: min(guest.unfinished_since, guest.heard_at)).abort(why)
    return bool(left)
