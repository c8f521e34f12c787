"""The kinds of values that settings are made of, each with the check that belongs to the value alone.

A check raises ValueError with the whole message, `what is wrong; what would be right`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)

from bridge.commands.moments import seconds
from bridge.config.addresses import Broker, Listen, Monitor, Server
from bridge.directory.hours import parse_span
from bridge.sip.grammar import SipError, parse_uri

NAME = r"[a-z0-9_-]{1,32}"
NUMBER = r"[A-Za-z0-9*#+][A-Za-z0-9*#+._-]{0,63}"
UNIX = r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?"
CODE = r"[*#][0-9*#]{1,7}"
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?", re.ASCII)
_YOUNGER = "keep-if-younger-than "


class Part(BaseModel):
    """What every table of the configuration has in common: it is frozen and has no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


_TRANSPORTS = ("udp", "tcp", "tls")


def check_name(text: str) -> str:
    """Return a name as it is. Raises ValueError."""
    if not re.fullmatch(NAME, text):
        raise ValueError(f"{text[:60]!r} is not a name; right are 1 to 32 of a-z, 0-9, _ and -")
    return text


def check_number(text: str) -> str:
    """Return a number, or the user part of an AOR, as it is. Raises ValueError."""
    if not re.fullmatch(NUMBER, text):
        raise ValueError(
            f"{text[:80]!r} is not a number; right are 1 to 64 of 0-9, *, #, +, letters, dot, _ and -, without spaces"
        )
    return text


def parse_listen(value: Any) -> Listen:
    """Parse `udp:0.0.0.0:5060`, `tcp:[::]:5060` or `tls:0.0.0.0:5061`. Raises ValueError."""
    if isinstance(value, Listen):
        return value
    right = 'write "udp:0.0.0.0:5060" or "tcp:0.0.0.0:5060"'
    if not isinstance(value, str):
        raise ValueError(f"{show(value)} is not text; {right}")
    transport, _, address = value.partition(":")
    host, _, port = address.rpartition(":")
    if transport not in _TRANSPORTS:
        raise ValueError(f"{value[:60]!r} does not begin with udp:, tcp: or tls:; {right}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{value[:60]!r}: an IPv6 address needs brackets; write {transport}:[::]:5060")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{value[:60]!r}: {host[:40]!r} is not an IP address; {right}") from None
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        raise ValueError(f"{value[:60]!r}: the port must be 0 to 65535 (0: any free one); {right}")
    return Listen(transport, host, int(port))


def check_host(text: str) -> str:
    """Return a host name or IP address (brackets taken off). Raises ValueError."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        if not _HOST_NAME.fullmatch(text):
            raise ValueError(
                f'{text[:60]!r} is neither an IP address nor a host name; write "192.168.1.20" or "pi.lan"'
            ) from None
    return text


def parse_server(value: Any) -> Server:
    """Parse a trunk's server, `sip:host[:port][;transport=tcp|tls]`; sips: is TLS. Raises ValueError."""
    if isinstance(value, Server):
        return value
    right = 'write "sip:fritz.box" or "sip:192.168.1.1:5060;transport=tcp"'
    if not isinstance(value, str):
        raise ValueError(f"{show(value)} is not text; {right}")
    if not value.lower().startswith(("sip:", "sips:")):
        raise ValueError(f"{value[:60]!r} does not begin with sip:; {right}")
    try:
        uri = parse_uri(value)
    except SipError as error:
        raise ValueError(f"{error}; {right}") from None
    if uri.user is not None:
        raise ValueError(f"{value[:60]!r} has a user name; give that as username of its own, and {right}")
    parameters = {key.lower(): text for key, text in uri.parameters.items()}
    transport = (parameters.pop("transport", None) or ("tls" if uri.scheme == "sips" else "udp")).lower()
    if transport not in _TRANSPORTS or (uri.scheme == "sips" and transport == "udp"):
        raise ValueError(f"{value[:60]!r}: transport {transport[:20]!r} is not known there; {right}")
    if uri.scheme == "sips":
        transport = "tls"
    if parameters:
        raise ValueError(f"{value[:60]!r}: parameter {next(iter(parameters))[:20]!r} is not known; {right}")
    return Server(check_host(uri.host), uri.port, transport)


def parse_monitor(value: Any) -> Monitor | None:
    """Parse `true` (at the trunk's server), `host` or `host:port` of a call monitor. Raises ValueError."""
    if isinstance(value, Monitor) or value is None:
        return value
    right = 'write true, or "192.168.178.1:1012" where it is not at the trunk\'s server'
    if isinstance(value, bool):
        return Monitor(None) if value else None
    if not isinstance(value, str):
        raise ValueError(f"{show(value)} is neither true nor text; {right}")
    try:
        uri = parse_uri(f"sip:{value}")
    except SipError:
        raise ValueError(f"{value[:60]!r} is not a host and port; {right}") from None
    if uri.user is not None or uri.parameters:
        raise ValueError(f"{value[:60]!r} is not a host and port; {right}")
    return Monitor(check_host(uri.host), uri.port or 1012)


def check_contact(text: str) -> str:
    """Return a static contact's SIP URI as it is. Raises ValueError."""
    right = 'write "sip:204@192.168.1.44:5060"'
    try:
        uri = parse_uri(text)
    except SipError as error:
        raise ValueError(f"{error}; {right}") from None
    if uri.scheme not in ("sip", "sips"):
        raise ValueError(f"{text[:60]!r} does not begin with sip:; {right}")
    if (uri.parameters.get("transport") or "tcp").lower() not in _TRANSPORTS:
        raise ValueError(f"{text[:60]!r}: transport must be udp, tcp or tls; {right}")
    check_host(uri.host)
    return text


def parse_broker(value: Any) -> Broker:
    """Parse `mqtt://host[:port]` or `mqtts://host[:port]`. Raises ValueError, without what may be a password."""
    if isinstance(value, Broker):
        return value
    right = 'write "mqtt://localhost:1883", or mqtts:// for TLS'
    if not isinstance(value, str):
        raise ValueError(f"{show(value)} is not text; {right}")
    if "@" in value:
        raise ValueError(f"has a user name in it; give username and password as keys of their own, and {right}")
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise ValueError(f"{value[:60]!r} is not an address; {right}") from None
    if url.scheme not in ("mqtt", "mqtts"):
        raise ValueError(f"{value[:60]!r} does not begin with mqtt:// or mqtts://; {right}")
    if not host or port == 0 or url.path.strip("/") or url.query or url.fragment:
        raise ValueError(f"{value[:60]!r} is not a broker's host and port; {right}")
    tls = url.scheme == "mqtts"
    return Broker(check_host(host), port or (8883 if tls else 1883), tls)


def check_topic(text: str) -> str:
    """Return the first levels of MQTT topics as they are. Raises ValueError."""
    if re.search(r"[+#\0]", text) or not all(text.split("/")) or text.startswith("$"):
        raise ValueError(f'{text[:60]!r} cannot begin topics; write words with / between, as in "cti/home"')
    return text


def check_restart(text: str) -> str:
    """Return what becomes of a login at a restart, as it is. Raises ValueError."""
    right = 'right are "keep", "reset" or "keep-if-younger-than 8h"'
    if text in ("keep", "reset"):
        return text
    if not text.startswith(_YOUNGER):
        raise ValueError(f"{text[:60]!r} is not known; {right}")
    try:
        seconds(text.removeprefix(_YOUNGER))
    except ValueError:
        raise ValueError(f"{text[:60]!r} has no duration at its end; {right}") from None
    return text


def check_hours(text: str) -> str:
    """Return hours of a week, `mon-fri 09:00-12:30`, as they are. Raises ValueError."""
    parse_span(text)
    return text


def check_device(text: str) -> str:
    """Return the path of a serial device as it is. Raises ValueError."""
    if not text.startswith("/") or not text.isprintable():
        raise ValueError(f'{text[:60]!r} is no device; write its path, as in "/dev/serial/by-id/usb-..."')
    return text


def check_code(text: str) -> str:
    """Return a code as it is. Raises ValueError."""
    if not re.fullmatch(CODE, text):
        raise ValueError(f'{text[:20]!r} is not a code; right is * or # and 1 to 7 more of 0-9, * and #, as in "*41"')
    return text


def check_unix(text: str) -> str:
    """Return the name of a login on this machine as it is. Raises ValueError."""
    if not re.fullmatch(UNIX, text):
        raise ValueError(f"{text[:40]!r} is no login; write the name that logs in on this machine")
    return text


def check_key(text: str) -> str:
    """Return one key of a phone as it is. Raises ValueError."""
    if not re.fullmatch("[0-9*#]", text):
        raise ValueError(f'{text[:20]!r} is not a key of a phone; right is one of 0-9, * and #, as in "0"')
    return text


def check_text(text: str) -> str:
    """Return one line of text as it is. Raises ValueError."""
    if not text.isprintable():
        raise ValueError("has more than one line or control characters; write one line of text")
    return text


def parse_file(value: Any, info: ValidationInfo) -> Path:
    """Return the path of a file that is there; a relative one counts from the configuration's. Raises ValueError."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{show(value)} is not a path; write it as text")
    path = Path((info.context or {}).get("base", ""), Path(value).expanduser())
    if not path.is_file():
        raise ValueError(f"there is no file {value[:200]!r}; right is the path of a PEM file")
    return path


def show(value: object) -> str:
    """Return a value as it is repeated to people, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    text = repr(value) if isinstance(value, str | int | float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _schema(example: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example], **more})


Name = Annotated[str, AfterValidator(check_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]
Number = Annotated[str, AfterValidator(check_number), Field(json_schema_extra={"pattern": f"^{NUMBER}$"})]
Text = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(check_text)]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Key = Annotated[str, AfterValidator(check_key), Field(json_schema_extra={"pattern": "^[0-9*#]$"})]
Port = Annotated[int, Field(strict=True, ge=1024, le=65535)]
Host = Annotated[str, AfterValidator(check_host)]
Contact = Annotated[str, AfterValidator(check_contact)]
Device = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_device)]
Topic = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(check_topic)]
UnixLogin = Annotated[str, AfterValidator(check_unix)]
Restart = Annotated[str, AfterValidator(check_restart)]
Hours = Annotated[str, AfterValidator(check_hours)]
Code = Annotated[str, AfterValidator(check_code), Field(json_schema_extra={"pattern": f"^{CODE}$"})]
ListenField = Annotated[Listen, PlainValidator(parse_listen), _schema("udp:0.0.0.0:5060")]
ServerField = Annotated[Server, PlainValidator(parse_server), _schema("sip:fritz.box")]
MonitorField = Annotated[
    Monitor,
    PlainValidator(parse_monitor),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "examples": ["192.168.178.1:1012"]}]}),
]
BrokerField = Annotated[Broker, PlainValidator(parse_broker), _schema("mqtt://localhost:1883")]
FileField = Annotated[Path, PlainValidator(parse_file), _schema("/etc/cti-bridge/ca.pem")]
