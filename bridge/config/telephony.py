"""The settings of SIP, trunks and the lines' own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bridge.config.addresses import Listen
from bridge.config.calling import Prefix, Trunks
from bridge.config.fields import (
    Contact,
    Count,
    Device,
    FileField,
    Flag,
    Host,
    ListenField,
    MonitorField,
    Number,
    Part,
    Port,
    ServerField,
    Text,
)
from bridge.config.secret import SecretField

EVERYWHERE = (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))

Media = Literal["auto", "direct", "relay"]
Watch = Literal["dialog"]
Tells = Literal["P-Asserted-Identity", "Diversion", "History-Info"]


class RegistrarSettings(Part):
    """The registrar for attached phones. `max_expires` in seconds."""

    enabled: Flag = True
    realm: Text = "cti-bridge"
    max_expires: Annotated[int, Field(strict=True, ge=60, le=86_400)] = 600


class TlsSettings(Part):
    """`tls` of `[sip]`: our certificate and its key, PEM; `ca`: whom to believe peers, None: the machine's own."""

    cert: FileField | None = None
    key: FileField | None = None
    ca: FileField | None = None


class SipSettings(Part):
    """`[sip]`: where we listen, and what peers are told to reach us at."""

    listen: tuple[ListenField, ...] = EVERYWHERE
    advertise: Host | None = None
    rtp_ports: tuple[Port, Port] = (16384, 16583)
    registrar: RegistrarSettings = RegistrarSettings()
    tls: TlsSettings = TlsSettings()


class TrunkSettings(Part):
    """`[trunks.NAME]`: an upstream PBX or provider. `expires` in seconds."""

    server: ServerField
    username: Text | None = None
    password: SecretField | None = None
    registers: Flag = Field(True, alias="register")
    expires: Annotated[int, Field(strict=True, ge=30, le=86_400)] = 300
    number: Number | None = None
    max_calls: Count | None = None
    watch: Watch | None = None
    call_monitor: MonitorField | None = None
    confirm: Flag = False
    media: Media = "auto"
    tells: tuple[Tells, ...] = ()
    check: Flag = True


class LineSettings(Part):
    """`[lines.NAME]`: reached through a trunk, or attached by registering (password) or at a static contact.

    `modem`: an analogue line, heard by a modem. `name`: what a device is shown as; without it, its SIP address.
    `dial_out`: the trunks through which it calls outside; `dial_out_allow`: beginnings of numbers that it may call
    though `[outside]` refuses them.
    """

    number: Number
    name: Text | None = None
    trunk: str | None = None
    dial: Number | None = None
    password: SecretField | None = None
    contact: Contact | None = None
    modem: Device | None = None
    max_calls: Count = 1
    dial_out: Trunks = ()
    dial_out_allow: tuple[Prefix, ...] = ()
    dial_out_daily: Annotated[int, Field(strict=True, ge=0, le=10_000)] | None = None
    private: Flag = False
    watch: Watch | None = None
    confirm: Flag | None = None
    media: Media | None = None
