"""An authority of a test's own, and certificates from it: made by OpenSSL, valid for a day."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority in a directory; `ca` is its certificate."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.ca = directory / "ca.pem"
        self._make(self.ca, directory / "ca.key", "/CN=test authority", "-x509")

    def issue(self, name: str, *names: str) -> tuple[Path, Path]:
        """Return the files of a certificate and key for these names (`DNS:pbx.test`, `IP:127.0.0.1`)."""
        cert, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        alternatives = f"subjectAltName={','.join(names)}"
        by = ("-CA", str(self.ca), "-CAkey", str(self._directory / "ca.key"))
        self._make(cert, key, f"/CN={name}", "-x509", *by, "-addext", alternatives)
        return cert, key

    @staticmethod
    def encrypt(key: Path) -> None:
        """Protect a key with a password."""
        plain = key.with_suffix(".plain")
        key.rename(plain)
        _run(["openssl", "pkey", "-in", str(plain), "-aes256", "-passout", "pass:secret", "-out", str(key)])

    def _make(self, cert: Path, key: Path, subject: str, *more: str) -> None:
        argv = [
            "openssl",
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ]
        argv += ["-subj", subject, "-out", str(cert), "-keyout", str(key), *more]
        _run(argv)


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
