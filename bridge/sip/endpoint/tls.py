"""What SIP over TLS is made with: our certificate where we listen, whom to believe where we connect.

Contexts are made anew each time: one that has taken half of a certificate and its key serves nobody any more.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from bridge.sip.endpoint.listening import EndpointError


class Contexts(NamedTuple):
    """What was read from the files, None where there is none."""

    server: ssl.SSLContext | None
    client: ssl.SSLContext | None


class Tls:
    """`server` and `client` contexts, None where there is none; `use` changes them for all later connections."""

    def __init__(self, server: ssl.SSLContext | None = None, client: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.client = client

    def use(self, contexts: Contexts) -> None:
        """Use these. Who listens without a certificate of its own any more keeps the one of before.

        For a listener stays until a restart, and may never speak in the clear.
        """
        self.server = contexts.server or self.server
        self.client = contexts.client


def read_contexts(cert: Path | None, key: Path | None, ca: Path | None, connects: bool) -> Contexts:
    """Return what these PEM files make. `connects`: whether we connect to anybody by TLS.

    Raises `EndpointError` for files that cannot be used.
    """
    try:
        return Contexts(_server(cert, key) if cert is not None else None, _client(ca) if connects else None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise EndpointError(f"sip.tls: {cert or ca} cannot be used ({error})") from None


def _server(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key, password=_no_password)
    return context


def _client(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
    # on by default from Python 3.13 on; PBXs make certificates of their own without all that it asks for
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _no_password() -> str:
    """Keep OpenSSL from asking for one at the terminal."""
    raise ValueError("the key has a password")
