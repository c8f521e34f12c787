"""From settings to the values that the agent's parts are made from.

The settings stay behind: what they are checked with is large, and of no use to an agent that serves (see `reading`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config.domain import directory_of, exchange_of, modems_of, monitors_of, tls_of
from bridge.config.later import notices
from bridge.config.settings import Settings
from bridge.config.sound import files_in
from bridge.directory.model import Directory
from bridge.values import SipValues, Values

if TYPE_CHECKING:
    from bridge.desk.model import DeskSettings
    from bridge.mqtt.model import MqttSettings


def values_of(settings: Settings) -> Values:
    """Return all that an agent goes by, or a satellite; secrets are in it as plain text."""
    return Values(
        site=settings.site.name,
        language=settings.site.language,
        journal_days=settings.site.journal_days,
        directory=_directory(settings),
        exchange=exchange_of(settings),
        sip=_sip(settings),
        modems=modems_of(settings),
        monitors=monitors_of(settings),
        sounds=tuple(str(file) for file in files_in(settings)),
        metrics=(settings.metrics.host, settings.metrics.port) if settings.metrics else None,
        mqtt=_mqtt(settings),
        desks=_desks(settings),
        satellite=settings.satellite_name if settings.satellite else None,
        notices=tuple(notices(settings)),
    )


def _sip(settings: Settings) -> SipValues | None:
    sip = settings.sip
    return None if sip is None else SipValues(sip.listen, sip.advertise, sip.rtp_ports, tls_of(settings))


# What doors need is imported only where there is such a door.


def _directory(settings: Settings) -> Directory:
    if not settings.satellite:
        return directory_of(settings)
    from bridge.desk.configured import expected

    return expected(settings)


def _mqtt(settings: Settings) -> MqttSettings | None:
    if settings.mqtt is None:
        return None
    from bridge.mqtt.configured import mqtt_settings

    return mqtt_settings(settings)


def _desks(settings: Settings) -> tuple[DeskSettings, ...]:
    if not settings.desks:
        return ()
    from bridge.desk.configured import desks_of

    return desks_of(settings)
