"""The server's side of digest authentication: challenges that need no memory of strangers (RFC 7616, RFC 8760).

A nonce is its time of issue and a salt, signed: whether it is ours and how old it is can be read from it. Only a
nonce that was *used with the right password* is remembered, with the highest count seen, so that no request is taken
twice; strangers cannot fill that memory. When it overflows, all unused nonces as old as the forgotten one go stale
with it, which costs their owners one more round trip and nobody a replay.

The URI that is hashed is the one in the credentials. It is not compared with the Request-URI: phones and proxies
write it in many ways, and whoever could change the Request-URI on its way could change Contact and body too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
import struct
from collections.abc import Sequence
from enum import Enum

from bridge.sip.digest import Credentials, DigestError, digest_response, parse_digests
from bridge.sip.message import Request

_SALT = 9  # with 8 of time and 16 of signature 33 bytes: 44 characters of base64 without padding
_SIGNATURE = 16


class Verdict(Enum):
    """What the credentials in a request are worth."""

    OK = "ok"
    STALE = "stale"  # right password, outdated nonce: challenge with stale=true
    WRONG = "wrong"
    ABSENT = "absent"  # none for our realm, or not readable: challenge


class Challenger:
    """Makes challenges for one realm and verifies what comes back.

    `rng` is `random.SystemRandom()` outside of tests. `algorithms` are offered in this order, a header each; RFC 8760
    would have the strongest first, but many phones read the first header only and know MD5 only. `lifetime` of a
    nonce in seconds.
    """

    def __init__(
        self,
        realm: str,
        rng: random.Random,
        *,
        algorithms: Sequence[str] = ("MD5", "SHA-256"),
        lifetime: float = 300.0,
        remembered: int = 4096,
    ) -> None:
        self.configure(realm)
        self._algorithms = tuple(algorithms)
        self._lifetime = lifetime
        self._remembered = remembered
        self._rng = rng
        self._key = rng.randbytes(32)
        self._used: dict[str, tuple[float, int]] = {}  # nonce to time of issue and highest count, the oldest use first
        self._forgotten = float("-inf")  # unused nonces issued up to then are stale

    def configure(self, realm: str) -> None:
        """Challenge for this realm from now on."""
        if '"' in realm or "\\" in realm or not realm.isprintable():
            raise ValueError(f"realm {realm!r} must be printable, without quotes and backslashes")
        self.realm = realm

    def challenges(self, now: float, *, stale: bool = False) -> list[str]:
        """Return the WWW-Authenticate values, all with the same fresh nonce."""
        nonce = self._sign(struct.pack(">Q", int(now * 1000)) + self._rng.randbytes(_SALT))
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in self._algorithms
        ]

    def claimed(self, request: Request) -> str | None:
        """Return the user name that the request's credentials for our realm claim, or None where there are none."""
        given = self._given(request)
        return None if given is None else given["username"]

    def verify(self, request: Request, username: str, password: str, now: float) -> Verdict:
        """Tell what the request's Authorization is worth; OK uses up its nonce count (without qop: its nonce).

        So ask once for each request that is not a retransmission.
        """
        given = self._given(request)
        if given is None:
            return Verdict.ABSENT
        if not self._right(given, request, username, password):
            return Verdict.WRONG
        count = given.get("nc") if "qop" in given else None  # without qop it is not hashed
        return Verdict.OK if self._use(given["nonce"], count, now) else Verdict.STALE

    def _given(self, request: Request) -> dict[str, str] | None:
        """Return the whole credentials for our realm."""
        for value in request.headers.get("Authorization", ()):
            try:
                digests = parse_digests(value)
            except DigestError:
                continue
            for digest in digests:
                if digest.get("realm") == self.realm and {"username", "nonce", "uri", "response"} <= digest.keys():
                    return digest if digest["username"].isprintable() else None
        return None

    def _right(self, given: dict[str, str], request: Request, username: str, password: str) -> bool:
        """Tell whether user name and hash are right, whatever the nonce."""
        offered = {algorithm.lower(): algorithm for algorithm in self._algorithms}
        algorithm = offered.get(given.get("algorithm", "MD5").lower())
        qop = given.get("qop")
        count = given.get("nc", "")
        if algorithm is None or (qop is not None and (qop.lower() != "auth" or _count(count) is None)):
            return False
        expected = digest_response(
            algorithm,
            Credentials(username, password),
            self.realm,
            given["nonce"],
            request.method,
            given["uri"],
            qop=qop,
            cnonce=given.get("cnonce", ""),
            count=count,
        )
        same_user = _equal(given["username"], username)
        return _equal(given["response"].lower(), expected) and same_user

    def _use(self, nonce: str, count: str | None, now: float) -> bool:
        """Take one use of a nonce; False where it is not ours, too old, or was used so before."""
        issued = self._issued(nonce)
        if issued is None or now - issued > self._lifetime:
            return False
        number = _count(count or "") or 0
        used = self._used.get(nonce)
        if used is None and issued <= self._forgotten:
            return False
        if used is not None and number <= used[1]:
            return False
        self._used.pop(nonce, None)
        self._used[nonce] = (issued, number)
        self._forget(now)
        return True

    def _forget(self, now: float) -> None:
        while self._used:
            oldest = next(iter(self._used))
            issued = self._used[oldest][0]
            if now - issued <= self._lifetime:
                if len(self._used) <= self._remembered:
                    return
                self._forgotten = max(self._forgotten, issued)
            del self._used[oldest]

    def _sign(self, content: bytes) -> str:
        signature = hmac.digest(self._key, content, hashlib.sha256)[:_SIGNATURE]
        return base64.urlsafe_b64encode(content + signature).decode("ascii")

    def _issued(self, nonce: str) -> float | None:
        """Return when a nonce was issued; None where it is not ours."""
        try:
            content = base64.urlsafe_b64decode(nonce.encode("ascii"))[:-_SIGNATURE]
        except (ValueError, binascii.Error):
            return None
        if len(content) != 8 + _SALT or not _equal(self._sign(content), nonce):
            return None
        milliseconds: int = struct.unpack(">Q", content[:8])[0]
        return milliseconds / 1000


def _count(text: str) -> int | None:
    """Return a nonce count as a number; None where it is not 1 to 8 hexadecimal digits, or 0."""
    if not 0 < len(text) <= 8 or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        return None
    return int(text, 16) or None


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape"))
