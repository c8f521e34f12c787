"""When our certificates run out: read from the files, as far as ASN.1 has to be read for that (RFC 5280 §4.1)."""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from bridge.doctor.model import Findings, Patient, fail, ok, warn

SOON = 14  # days
_SEQUENCE, _INTEGER, _UTC, _GENERALIZED, _VERSION = 0x30, 0x02, 0x17, 0x18, 0xA0
_HEAD, _TAIL = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def check_certificates(patient: Patient) -> Findings:
    """Look at each certificate that is ours."""
    for path in dict.fromkeys(_certificates(patient)):
        try:
            days = (valid_until(path.read_text(encoding="ascii")) - time.time()) / 86400
        except (OSError, ValueError) as error:
            yield fail("certificate", f"{path} cannot be read: {error}", "give a PEM file")
            continue
        if days < 0:
            yield fail(
                "certificate", f"{path} ran out {-days:.0f} days ago", "renew it, then sudo systemctl reload cti-bridge"
            )
        elif days < SOON:
            yield warn(
                "certificate", f"{path} runs out in {days:.0f} days", "renew it, then sudo systemctl reload cti-bridge"
            )
        else:
            yield ok("certificate", f"{path} is valid for {days:.0f} days")


def _certificates(patient: Patient) -> Iterator[Path]:
    settings = patient.settings
    for part in (settings.sip.tls if settings.sip else None, settings.mqtt):
        if part is not None and part.cert is not None:
            yield part.cert


def valid_until(pem: str) -> float:
    """Return until when the first certificate of a PEM text is valid, in UTC seconds. Raises ValueError."""
    _, head, rest = pem.partition(_HEAD)
    der = ssl.PEM_cert_to_DER_cert(f"{head}{rest.partition(_TAIL)[0]}{_TAIL}")
    _, certificate = _first(der)
    _, to_be_signed = _first(certificate)
    parts = [part for part in _parts(to_be_signed) if part[0] != _VERSION]  # serial, algorithm, issuer, validity
    if len(parts) < 4 or parts[3][0] != _SEQUENCE:
        raise ValueError("it is no X.509 certificate")
    times = list(_parts(parts[3][1]))
    if len(times) != 2:
        raise ValueError("it is no X.509 certificate")
    return _time(*times[1])


def _time(tag: int, value: bytes) -> float:
    if tag not in (_UTC, _GENERALIZED):
        raise ValueError("its validity cannot be read")
    text = value.decode("ascii")
    if tag == _UTC:  # two digits of the year: 50 and above are of the last century
        text = f"{'19' if int(text[:2]) >= 50 else '20'}{text}"
    when = datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ")
    return when.replace(tzinfo=datetime.UTC).timestamp()


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        tag, value = _first(data)
        yield tag, value
        data = data[_whole(data) :]


def _first(data: bytes) -> tuple[int, bytes]:
    """Return the tag and the contents of the element that data begins with (X.690 §8.1)."""
    whole = _whole(data)
    return data[0], data[_header(data) : whole]


def _whole(data: bytes) -> int:
    header = _header(data)
    length = data[1] if header == 2 else int.from_bytes(data[2:header])
    if len(data) < header + length:
        raise ValueError("it is cut off")
    return header + length


def _header(data: bytes) -> int:
    if len(data) < 2 or data[1] == 0x80 or data[1] > 0x84:
        raise ValueError("it is no DER")
    header = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)
    if len(data) < header:
        raise ValueError("it is cut off")
    return header
