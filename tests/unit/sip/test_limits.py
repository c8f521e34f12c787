"""How much is taken from each source: little from strangers, much from peers, in bounded memory."""

from __future__ import annotations

import pytest

from bridge.sip.limits import LINES, LOOK_AGAIN, MOST_SOURCES, PEER, QUIET, STRANGER, STRANGERS, Limits, network

START = 5000.0


def strict() -> Limits:
    """Return limits that know 10.0.0.1 only."""
    return Limits(lambda host: host == "10.0.0.1")


def taken(limits: Limits, host: str, messages: int, now: float) -> int:
    """Return how many of so many messages at once are taken."""
    return sum(limits.admit(host, now) for _ in range(messages))


def test_a_stranger_gets_a_handful_and_then_a_few_a_second() -> None:
    """What is not used is saved up to the size of the bucket, no further."""
    limits = strict()
    assert taken(limits, "192.0.2.1", 1000, START) == STRANGER.at_once
    assert taken(limits, "192.0.2.1", 1000, START + 1) == STRANGER.per_second
    assert taken(limits, "192.0.2.1", 1000, START + 1000) == STRANGER.at_once
    assert taken(limits, "192.0.2.2", 10, START + 1000) == 10, "another one has a bucket of its own"


def test_a_peer_is_taken_from_whatever_strangers_do() -> None:
    """Forged addresses share what is for strangers; a peer has its own, and much of it."""
    limits = strict()
    strangers = sum(limits.admit(f"198.51.{n >> 8}.{n & 255}", START) for n in range(3000))
    assert strangers == STRANGERS.at_once
    assert taken(limits, "10.0.0.1", 20_000, START) == PEER.at_once
    assert taken(limits, "10.0.0.1", 20_000, START + 0.5) == PEER.per_second / 2


def test_memory_is_bounded() -> None:
    """However many addresses send; a peer that was forgotten meanwhile is known again at once."""
    limits = strict()
    limits.admit("10.0.0.1", START)
    for number in range(3 * MOST_SOURCES):
        limits.admit(f"2001:db8:{number >> 8:x}:{number & 255:x}::1", START)
    assert len(limits) <= MOST_SOURCES
    assert limits.admit("10.0.0.1", START)


@pytest.mark.parametrize(
    ("host", "shared"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:0db8:0000:0000::/64"),
        ("2001:db8:0:0:ffff::1", "2001:0db8:0000:0000::/64"),
        ("fe80::1%eth0", "fe80:0000:0000:0000::/64"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_ipv6_stranger_is_its_network(host: str, shared: str) -> None:
    """One stranger may send from any address of a /64."""
    assert network(host) == shared


def test_an_ipv6_peer_is_not_its_neighbours() -> None:
    """A stranger in the network of a phone of ours stays a stranger, and does not use up the phone's bucket."""
    limits = Limits(lambda host: host == "2001:db8::1")
    assert taken(limits, "2001:db8::2", 1000, START) == STRANGER.at_once
    assert not limits.admit("2001:db8::3", START)
    assert taken(limits, "2001:db8::1", 1000, START) == 1000


def test_who_registers_becomes_a_peer_and_who_leaves_a_stranger() -> None:
    """Within a second, even where the bucket is empty; and within a minute the other way."""
    peers: set[str] = set()
    limits = Limits(peers.__contains__)
    assert taken(limits, "192.0.2.1", 1000, START) == STRANGER.at_once
    peers.add("192.0.2.1")
    assert taken(limits, "192.0.2.1", 1000, START + 1.1) > 900
    peers.clear()
    assert taken(limits, "192.0.2.1", 1000, START + 5 + LOOK_AGAIN) == STRANGER.at_once


def test_a_line_about_each_address_and_minute() -> None:
    """And about many addresses not more than a few lines in all."""
    limits = strict()
    assert limits.may_tell("192.0.2.1", START) and not limits.may_tell("192.0.2.1", START + QUIET - 1)
    assert limits.may_tell("192.0.2.1", START + QUIET)
    told = sum(limits.may_tell(f"198.51.{n >> 8}.{n & 255}", START + QUIET) for n in range(5000))
    assert told <= LINES.at_once
