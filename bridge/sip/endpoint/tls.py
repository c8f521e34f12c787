"""What SIP over TLS is made with: our certificate where we listen, whom to believe where we connect."""

from __future__ import annotations

import ssl
from pathlib import Path

from bridge.sip.endpoint.listening import EndpointError


class Tls:
    """`server` and `client` contexts, None where there is none. Files are PEM; they are read anew by `configure`."""

    def __init__(self, server: ssl.SSLContext | None = None, client: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.client = client

    def configure(self, cert: Path | None, key: Path | None, ca: Path | None, connects: bool) -> None:
        """Use these files for every connection from now on. `connects`: whether we connect to anybody by TLS.

        Raises `EndpointError` for files that cannot be used; then nothing has changed.
        """
        try:
            self._configure(cert, key, ca, connects)
        except OSError as error:  # ssl.SSLError is one
            raise EndpointError(f"sip.tls: {cert or ca} cannot be used ({error})") from None

    def _configure(self, cert: Path | None, key: Path | None, ca: Path | None, connects: bool) -> None:
        server = client = None
        if cert is not None:
            server = self.server or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            server.load_cert_chain(cert, key)  # the one that listens goes on with it
        if connects:
            client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
            # on by default from Python 3.13 on; PBXs make certificates of their own without all that it asks for
            client.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self.server, self.client = server, client
