"""Whether two phones exchange their media directly, or through us. Pure.

Known when the member is offered the call: how both are set, from where both signal, which addresses of ours both are
told, and where the caller says that it receives. Of the member's answer nothing is known yet, but a phone that
registers has written its own address into its Contact. Once it has answered, that is asked again with what it says.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from bridge.directory.model import MediaWay


class Party(NamedTuple):
    """One side of a call. `signals` is the IP address its messages come from or go to; `ours` what it is told of us.

    `says` is the address that it names as its own, in its description or Contact; None where none is known.
    `phone`: its messages come from itself, with no proxy or PBX between. `rigid`: it refuses to change a call, so that
    whoever talks to it can be held or transferred only in the relay. `source`: the address of ours that messages to it
    leave from, where that is not what it is told.
    """

    signals: str
    ours: str
    way: MediaWay = MediaWay.AUTO
    says: str | None = None
    trunk: str | None = None
    phone: bool = False
    rigid: bool = False
    source: str = ""


class Choice(NamedTuple):
    """Through the relay or not, and why."""

    relay: bool
    why: str


def choose(caller: Party, member: Party) -> Choice:
    """Decide. A side that must be relayed wins over one that would rather not: it would hear nothing."""
    ways = (caller.way, member.way)
    if MediaWay.RELAY in ways:
        return Choice(True, "set so")
    if MediaWay.DIRECT in ways:
        return Choice(False, "set so")
    if caller.trunk is not None and caller.trunk == member.trunk:
        return Choice(True, f"both legs are on trunk {caller.trunk}")
    for party in (caller, member):
        if party.rigid:
            return Choice(True, f"trunk {party.trunk} changes no call")
    for name, party in (("caller", caller), ("member", member)):
        if behind_nat(party):
            return Choice(True, f"the {name} is behind NAT: {party.says} at {party.signals}")
    here, there = (_address(party.says) or _address(party.signals) for party in (caller, member))
    if here is not None and there is not None:
        if here.version != there.version:
            return Choice(True, "another address family")
        if here.public != there.public:
            return Choice(True, "one side is on the Internet, the other is not")
    ours, others = caller.source or caller.ours, member.source or member.ours
    if ours != others:
        return Choice(True, f"another interface: {ours} and {others}")
    return Choice(False, "both sides reach each other")


def behind_nat(party: Party) -> bool:
    """Whether the address that a side names is another one by the time its packets come to us.

    A phone that signals by itself names the address that it signals from, else there is NAT between. A PBX may name
    another machine, but on the Internet none with a private address.
    """
    says, signals = _address(party.says), _address(party.signals)
    if says is None or signals is None or says == signals or says.version != signals.version:
        return False
    return says.number != 0 and (party.phone or (signals.public and not says.public))


class _Address(NamedTuple):
    """What is asked of an IP address."""

    version: int
    number: int
    public: bool


@lru_cache(1024)
def _address(host: str | None) -> _Address | None:
    """Return an IP address, None for a name or nothing."""
    try:
        found = ipaddress.ip_address(host or "")
    except ValueError:
        return None
    plain = getattr(found, "ipv4_mapped", None) or found
    return _Address(plain.version, int(plain), plain.is_global)
