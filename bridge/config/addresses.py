"""Addresses and files that the configuration names, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Listen(NamedTuple):
    """Where to listen: `transport` is udp or tcp, `host` an IP address without brackets; port 0: any free one."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:{bracketed(self.host)}:{self.port}"


class Server(NamedTuple):
    """A trunk's server: `host` is a name or an IP address without brackets, `transport` udp or tcp.

    `port` None: none was given (RFC 3263 §4.2).
    """

    host: str
    port: int | None
    transport: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{bracketed(self.host)}{port}{transport}"


class Monitor(NamedTuple):
    """A FRITZ!Box's call monitor. `host` None: the trunk's server."""

    host: str | None
    port: int = 1012


class Broker(NamedTuple):
    """An MQTT broker: `host` is a name or an IP address without brackets."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{bracketed(self.host)}:{self.port}"


class TlsFiles(NamedTuple):
    """Our certificate, its key, and whom to believe, None: whom the machine does; `connects`: whether we connect so."""

    cert: Path | None
    key: Path | None
    ca: Path | None
    connects: bool


def bracketed(host: str) -> str:
    """Return a host as it stands in an address: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host
