"""All that the configuration says, as the agent's parts want it: plain values that one process can send another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bridge.calls.model import ExchangeSettings
    from bridge.config.addresses import Listen, TlsFiles
    from bridge.desk.model import DeskSettings
    from bridge.directory.model import Directory
    from bridge.mqtt.model import MqttSettings


class SipValues(NamedTuple):
    """Where SIP and RTP are spoken. `rtp_ports`: the first and the last."""

    listen: tuple[Listen, ...]
    advertise: str | None
    rtp_ports: tuple[int, int]
    tls: TlsFiles


class Values(NamedTuple):
    """What an agent goes by.

    `sip` None: a satellite; `satellite` is its name, and `directory` who there is as far as its desks name them.
    `modems`: device by line; `monitors`: host and port by trunk; `sounds`: WAV files; `notices`: lines for people.
    """

    site: str
    language: str
    journal_days: int
    directory: Directory
    exchange: ExchangeSettings
    sip: SipValues | None
    modems: Mapping[str, str]
    monitors: Mapping[str, tuple[str, int]]
    sounds: tuple[str, ...]
    metrics: tuple[str, int] | None
    mqtt: MqttSettings | None
    desks: tuple[DeskSettings, ...]
    satellite: str | None
    notices: tuple[str, ...]
