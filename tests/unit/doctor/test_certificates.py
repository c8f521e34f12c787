from __future__ import annotations

import base64
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.settings import Settings
from bridge.doctor.certificates import check_certificates, valid_until
from bridge.doctor.model import Patient, Verdict

DAY = 86400


def issue(directory: Path, days: int) -> Path:
    """Make a certificate that is valid for so many days."""
    cert = directory / f"{days}.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-subj", "/CN=pi.lan", "-keyout", str(directory / "key"), "-out", str(cert), "-days", str(days)]
    subprocess.run(argv, check=True, capture_output=True)
    return cert


@pytest.mark.parametrize("days, verdict", [(400, Verdict.OK), (9000, Verdict.OK), (3, Verdict.WARN)])
def test_when_a_certificate_runs_out(tmp_path: Path, days: int, verdict: Verdict) -> None:
    """Near or far; from 2050 on years have four digits."""
    cert = issue(tmp_path, days)
    assert abs(valid_until(cert.read_text()) - time.time() - days * DAY) < 60
    sip = {"tls": {"cert": str(cert), "key": str(tmp_path / "key")}}
    [found] = check_certificates(Patient(tmp_path, Settings.model_validate({"sip": sip}), tmp_path, "root"))
    assert found.verdict is verdict and str(cert) in found.said


def test_a_certificate_that_ran_out(tmp_path: Path) -> None:
    """It fails."""
    cert = tmp_path / "old.pem"
    cert.write_text(OLD)
    [found] = check_certificates(
        Patient(tmp_path, Settings.model_validate({"sip": {"tls": {"cert": str(cert)}}}), tmp_path, "root")
    )
    assert found.verdict is Verdict.FAIL and "days ago" in found.said


def _wrapped(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def _element(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


_VALIDITY = _element(0x30, _element(0x17, b"990101000000Z") + _element(0x17, b"010203040506Z"))
OLD = _wrapped(_element(0x30, _element(0x30, _element(2, b"\x01") + _element(0x30, b"") * 2 + _VALIDITY)))


@given(st.binary(max_size=60))
def test_whatever_the_file_holds(der: bytes) -> None:
    """It is a certificate, or an error in words."""
    try:
        valid_until(_wrapped(der))
    except ValueError as error:
        assert str(error)
