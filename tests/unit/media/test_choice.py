"""When media go through the bridge, and why."""

from __future__ import annotations

import pytest

from bridge.directory.model import MediaWay
from bridge.media.choice import Party, behind_nat, choose

OURS = "192.168.1.20"
DESK = Party("192.168.1.31", OURS, says="192.168.1.31", phone=True)
LOBBY = Party("192.168.1.32", OURS, says="192.168.1.32", phone=True)
PBX = Party("192.168.1.1", OURS, trunk="fritz")
PROVIDER = Party("203.0.113.5", OURS, trunk="provider")
HOME_OFFICE = Party("198.51.100.7", OURS, says="192.168.178.20", phone=True)
ABROAD = Party("8.8.4.4", OURS, says="8.8.4.4", phone=True)


@pytest.mark.parametrize(
    ("caller", "member", "relay", "why"),
    [
        (DESK, LOBBY, False, "both sides reach each other"),
        (PBX, LOBBY, False, "both sides reach each other"),
        (PBX, PBX, True, "both legs are on trunk fritz"),
        (PBX, Party("192.168.1.2", OURS, trunk="other"), False, "both sides reach each other"),
        (HOME_OFFICE, DESK, True, "the caller is behind NAT: 192.168.178.20 at 198.51.100.7"),
        (DESK, HOME_OFFICE, True, "the member is behind NAT: 192.168.178.20 at 198.51.100.7"),
        (DESK, ABROAD, True, "one side is on the Internet, the other is not"),
        (ABROAD, PBX, True, "one side is on the Internet, the other is not"),
        (DESK, Party("2001:db8::7", "2001:db8::1"), True, "another address family"),
        (DESK._replace(says="fd00::5"), LOBBY, True, "another address family"),
        (DESK, Party("10.9.0.3", "10.9.0.1"), True, "another interface: 192.168.1.20 and 10.9.0.1"),
        (DESK._replace(source=OURS), LOBBY._replace(source=OURS), False, "both sides reach each other"),
        (DESK._replace(source=OURS), PBX._replace(source="10.9.0.1"), True, f"another interface: {OURS} and 10.9.0.1"),
        (Party("phone.lan", OURS), DESK, False, "both sides reach each other"),
        (Party("::ffff:192.168.1.9", OURS, says="192.168.1.9", phone=True), DESK, False, "both sides reach each other"),
    ],
)
def test_auto(caller: Party, member: Party, relay: bool, why: str) -> None:
    """Through the bridge behind NAT, on another interface or family, or where both legs are on one trunk; else not."""
    assert choose(caller, member) == (relay, why)


@pytest.mark.parametrize(
    ("caller", "member", "relay"),
    [
        (MediaWay.RELAY, MediaWay.AUTO, True),
        (MediaWay.AUTO, MediaWay.RELAY, True),
        (MediaWay.DIRECT, MediaWay.AUTO, False),
        (MediaWay.AUTO, MediaWay.DIRECT, False),
        (MediaWay.DIRECT, MediaWay.RELAY, True),
        (MediaWay.RELAY, MediaWay.DIRECT, True),
    ],
)
def test_set_by_hand(caller: MediaWay, member: MediaWay, relay: bool) -> None:
    """`direct` and `relay` force it on either side; who needs the relay wins."""
    for first, second in ((DESK, LOBBY), (HOME_OFFICE, PBX), (PBX, PBX)):
        assert choose(first._replace(way=caller), second._replace(way=member)) == (relay, "set so")


@pytest.mark.parametrize(
    ("says", "signals", "phone", "expected"),
    [
        ("192.168.1.5", "192.168.1.5", True, False),
        ("192.168.1.5", "192.168.1.1", True, True),
        ("192.168.1.5", "192.168.1.1", False, False),
        ("192.168.1.5", "8.8.8.8", False, True),
        ("8.8.8.8", "8.8.4.4", False, False),
        ("0.0.0.0", "192.168.1.5", True, False),
        ("phone.lan", "192.168.1.5", True, False),
        (None, "192.168.1.5", True, False),
        ("192.168.1.5", "not-yet-resolved", True, False),
    ],
)
def test_behind_nat(says: str | None, signals: str, phone: bool, expected: bool) -> None:
    """A phone names its own address; a PBX may name a media server, but no private one on the Internet."""
    assert behind_nat(Party(signals, OURS, says=says, phone=phone)) is expected
