"""Places for connections: who gets one, who gives way, and that none is lost."""

from __future__ import annotations

import math
import random

from bridge.sip.endpoint.places import PlaceLimits, Places

LIMITS = PlaceLimits(connections=12, strangers=6, from_one_address=4)


class Caller:
    """A connection: it `owes` its first message, or has said something at `heard_at`."""

    def __init__(self, places: Places, host: str, now: float, owes: bool = True) -> None:
        self.heard_at = now
        self.unfinished_since = now if owes else math.inf
        self.ending = False
        self.host = host
        places.enter(self, host)

    @property
    def owes_a_message(self) -> bool:
        """Whether it has said nothing yet."""
        return self.unfinished_since < math.inf

    def abort(self, reason: str) -> None:
        """Be ended."""
        self.ending = True


def places(*peers: str, others: int = 0) -> Places:
    """Return places for these peers and any strangers."""
    return Places(LIMITS, set(peers).__contains__, lambda: others)


def test_one_address_has_so_many() -> None:
    """All in use: no more. One that says nothing: it gives way, the one before the others."""
    there = places("10.0.0.1")
    for number in range(4):
        assert there.refusal("10.0.0.1", 10.0) is None
        Caller(there, "10.0.0.1", float(number), owes=False)
    assert there.refusal("10.0.0.1", 10.0) == "over 4 connections from 10.0.0.1"
    assert there.refusal("10.0.0.2", 10.0) is None
    silent = [Caller(there, "10.0.0.3", float(number)) for number in (2, 1, 3, 4)]
    assert there.refusal("10.0.0.3", 10.0) is None
    assert [each.ending for each in silent] == [False, True, False, False]


def test_an_ipv6_stranger_is_its_network() -> None:
    """It has as many addresses as it likes; a peer's is its own."""
    there = places("2001:db8::99")
    for number in range(4):
        Caller(there, f"2001:db8::{number}", 0.0, owes=False)
    assert there.refusal("2001:db8::5", 1.0) is not None
    assert there.refusal("2001:db8::99", 1.0) is None


def test_strangers_leave_room_for_peers() -> None:
    """Six of strangers are all; a peer has its place."""
    there = places("10.0.0.1")
    for number in range(6):
        Caller(there, f"192.0.2.{number}", 0.0, owes=False)
    assert there.refusal("192.0.2.77", 1.0) == "over 6 connections of strangers are open"
    assert there.refusal("10.0.0.1", 1.0) is None


def test_a_stranger_who_says_nothing_gives_way_to_another() -> None:
    """So does one who has been silent for a while, and one of those who have most."""
    there = places()
    silent = [Caller(there, f"192.0.2.{number}", 0.0) for number in range(6)]
    assert there.refusal("192.0.2.77", 1.0) is None and sum(each.ending for each in silent) == 1
    there = places()
    spoke = [Caller(there, f"192.0.2.{number}", float(number), owes=False) for number in range(6)]
    assert there.refusal("192.0.2.77", 50.0) is not None
    assert there.refusal("192.0.2.77", 61.0) is None and [each.ending for each in spoke].index(True) == 0
    there = places()
    greedy = [Caller(there, f"192.0.2.{number // 3}", float(number), owes=False) for number in range(6)]
    assert there.refusal("192.0.2.77", 10.0) is None and sum(each.ending for each in greedy) == 1


def test_who_has_registered_is_no_stranger_any_more() -> None:
    """Its place is free for another stranger."""
    peers: set[str] = set()
    there = Places(LIMITS, peers.__contains__, lambda: 0)
    for number in range(6):
        Caller(there, f"192.0.2.{number}", 0.0, owes=False)
    assert there.refusal("192.0.2.77", 1.0) is not None
    peers.add("192.0.2.3")
    assert there.refusal("192.0.2.77", 1.0) is None


def test_all_together_are_bounded() -> None:
    """Peers, strangers, and those that we have made ourselves."""
    there = places(*(f"10.0.0.{number}" for number in range(20)), others=9)
    for number in range(3):
        Caller(there, f"10.0.0.{number}", 0.0, owes=False)
    assert there.refusal("10.0.0.9", 1.0) == "over 12 connections are open"


def test_whatever_comes_and_goes_nothing_is_lost() -> None:
    """Random guests: no limit is passed, and when all have left nothing is counted any more."""
    rng = random.Random(4)
    there = places(*(f"10.0.0.{number}" for number in range(5)))
    here: list[Caller] = []
    for step in range(5000):
        host = f"{rng.choice(('10.0.0', '192.0.2'))}.{rng.randrange(9)}"
        if rng.random() < 0.7 and there.refusal(host, step / 10) is None:
            here = [caller for caller in here if not caller.ending or there.leave(caller)]  # type: ignore[func-returns-value]
            here.append(Caller(there, host, step / 10, owes=rng.random() < 0.5))
        elif here and rng.random() < 0.5:
            there.leave(here.pop(rng.randrange(len(here))))
        live = [caller for caller in here if not caller.ending]
        assert len(live) <= LIMITS.connections
        assert sum(caller.host.startswith("192") or caller.host[-1] > "4" for caller in live) <= LIMITS.strangers
    for caller in here:
        there.leave(caller)
        there.leave(caller)
    assert len(there) == 0 and not there._counts and not there._strangers
