"""What the exchange is made from: trunks and secrets, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.directory.model import MediaWay
from bridge.directory.phonebook import Blocklist, Phonebook
from bridge.sip.flow import Flow


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """One upstream PBX or provider. `host` is an IP address or a name; `expires` seconds."""

    name: str
    host: str
    port: int | None = None
    transport: str = "udp"
    username: str = ""
    password: str = field(default="", repr=False)
    register: bool = True
    expires: int = 300
    number: str | None = None
    max_calls: int | None = None
    media: MediaWay = MediaWay.AUTO
    check: bool = True  # ask by OPTIONS whether its server lives
    tells: frozenset[str] = frozenset()  # headers that say who calls, and who has sent the call on


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """All that is not in the directory. `passwords`: of attached lines, by name; `pins`: by user; `watched`: lines."""

    trunks: tuple[TrunkSettings, ...] = ()
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    pins: Mapping[str, str] = field(default_factory=dict, repr=False)
    watched: frozenset[str] = frozenset()
    phonebook: Phonebook = Phonebook()
    blocklist: Blocklist = Blocklist()
    registrar: bool = True
    realm: str = "cti-bridge"
    max_expires: int = 600
    agent: str = "cti-bridge"


class Target(NamedTuple):
    """One contact of a line. `pinned`: requests keep to the flow, whatever Contact the peer writes (NAT)."""

    uri: str
    flow: Flow
    pinned: bool
    trunk: str | None = None
