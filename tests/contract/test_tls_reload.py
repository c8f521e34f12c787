"""Certificates that change while the bridge runs: SIGHUP takes up new ones, refuses bad ones, and cuts nobody off."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bridge.sip.endpoint import EndpointError
from bridge.sip.endpoint.tls import read_contexts
from tests.support.agent import Agent
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.process import PATIENCE

NAMES = ("IP:127.0.0.1", "DNS:localhost")
LINES = {"anna": {"number": "201", "password": "anna-secret"}}
OPTIONS = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"
    b"From: <sip:201@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class Office:
    """A bridge that listens on TLS, with an authority that issues its certificates, always to the same files."""

    def __init__(self, directory: Path, bridge: Callable[..., Agent]) -> None:
        self.authority = Authority(directory / "authority")
        self.cert, self.key = self.authority.issue("bridge", *NAMES)
        self.port = free_port()
        self.plain = free_port()
        self.agent = bridge(lines=LINES, sip=self.sip)

    @property
    def sip(self) -> dict[str, Any]:
        """`[sip]` of its configuration."""
        files = {"cert": str(self.cert), "key": str(self.key), "ca": str(self.authority.ca)}
        return {"listen": [f"udp:127.0.0.1:{self.plain}", f"tls:127.0.0.1:{self.port}"], "tls": files}

    def renew(self) -> bytes:
        """Write another certificate and key; return the certificate as a peer is shown it."""
        self.authority.issue("bridge", *NAMES)
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text())

    @contextmanager
    def phone(self) -> Iterator[ssl.SSLSocket]:
        """Connect, believing the authority alone."""
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as secure,
        ):
            yield secure

    def shown(self) -> bytes | None:
        """Return the certificate that somebody who connects now is shown."""
        with self.phone() as peer:
            return peer.getpeercert(binary_form=True)


@pytest.fixture
def office(tmp_path: Path, bridge: Callable[..., Agent]) -> Office:
    """Start a bridge with a certificate."""
    return Office(tmp_path, bridge)


def is_served(peer: socket.socket, number: int) -> bool:
    """Whether a request on this connection is answered."""
    peer.sendall(OPTIONS % (number, number))
    return peer.recv(65536).startswith(b"SIP/2.0 200")


def test_a_new_certificate(office: Office) -> None:
    """After SIGHUP whoever connects is shown the new certificate; the connections of before go on."""
    with office.phone() as before:
        assert is_served(before, 1)
        renewed = office.renew()
        assert before.getpeercert(binary_form=True) != renewed
        assert "is in force" in office.agent.reload(lines=LINES, sip=office.sip)
        assert office.shown() == renewed
        assert is_served(before, 2)


def spoilt(office: Office, how: str) -> None:
    """Damage the files as they may be found one day."""
    if how == "half":
        office.cert.write_bytes(office.cert.read_bytes()[:300])
    elif how == "gone":
        office.cert.unlink()
    elif how == "new certificate, old key":
        key = office.key.read_bytes()
        office.renew()
        office.key.write_bytes(key)
    else:
        office.authority.encrypt(office.key)


@pytest.mark.parametrize("how", ["half", "gone", "new certificate, old key", "with a password"])
def test_a_certificate_that_is_damaged(office: Office, how: str) -> None:
    """It is refused with the name of the file; who connects is shown the one of before, until the files are right."""
    before = office.shown()
    with office.phone() as peer:
        spoilt(office, how)
        told = office.agent.reload(lines=LINES, sip=office.sip)
        assert "sip.tls.cert" in told and str(office.cert) in told, told
        assert "the one before stays" in told, told
        assert office.shown() == before
        assert is_served(peer, 1)
    renewed = office.renew()
    office.agent.reload(lines=LINES, sip=office.sip)
    assert office.shown() == renewed


def test_a_certificate_is_not_taken_up_by_half(office: Office, tmp_path: Path) -> None:
    """Where a reload is refused for something else, the certificate of before stays too."""
    before = office.shown()
    office.renew()
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    told = office.agent.reload(lines=LINES, sip=office.sip, mqtt={"broker": "mqtts://localhost:1", "ca": str(garbage)})
    assert "the one before stays: mqtt.ca" in told, told
    assert office.shown() == before


def test_tls_that_leaves_the_configuration(office: Office) -> None:
    """A listener keeps until a restart, and its certificate with it: nobody is ever served there in the clear."""
    before = office.shown()
    told = office.agent.reload(lines=LINES, sip={"listen": [f"udp:127.0.0.1:{office.plain}"]})
    assert "sip.listen" in told, told
    assert office.shown() == before
    with socket.create_connection(("127.0.0.1", office.port), timeout=PATIENCE) as peer, suppress(ConnectionError):
        assert not is_served(peer, 1)


def test_files_that_change_while_they_are_read(office: Office) -> None:
    """What was right when it was checked and is not when it is used is refused, and nobody is asked for a password."""
    assert read_contexts(office.cert, office.key, None, connects=False).server is not None
    spoilt(office, "new certificate, old key")
    with pytest.raises(EndpointError, match=r"sip.tls: .* cannot be used"):
        read_contexts(office.cert, office.key, None, connects=False)
    office.renew()
    spoilt(office, "with a password")
    with pytest.raises(EndpointError, match="password"):
        read_contexts(office.cert, office.key, None, connects=False)
