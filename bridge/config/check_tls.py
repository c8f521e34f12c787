"""Whether certificates and keys can be used: what is wrong with a file is said before anything is started with it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from bridge.config.draft import Finding
from bridge.config.settings import Settings


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield every file of `sip.tls` that is none of what it should be."""
    tls = settings.sip.tls if settings.sip is not None else None
    if tls is None:
        return
    if tls.cert is not None and tls.key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.cert, tls.key, password=_no_password)
        except (OSError, ValueError) as error:
            right = "right are a certificate (its chain after it) and the key that belongs to it, without password, PEM"
            yield ("sip", "tls", "cert"), f"{tls.cert} and {tls.key.name} cannot be used ({_words(error)}); {right}"
    if tls.ca is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(tls.ca)
        except (OSError, ValueError) as error:
            right = "right is a file of one or more certificates, PEM"
            yield ("sip", "tls", "ca"), f"{tls.ca} cannot be used ({_words(error)}); {right}"


def _no_password() -> str:
    raise ValueError("the key has a password")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").lower().replace("_", " ")
    return str(getattr(error, "strerror", None) or error)
