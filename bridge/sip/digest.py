"""Digest authentication: its grammar, its arithmetic and the client's side (RFC 3261 §22, RFC 7616, RFC 8760).

A server that wants to know who asks answers 401 or 407 with one challenge per algorithm; the client asks again with
a hash over the password, the server's nonce, the method and the URI. A nonce is kept and counted up, so that the
next request is authorised at once; the server ends its life with `stale=true` (or, some servers, without a word).
`Authenticator` knows when a further try makes sense: a server that says no twice to fresh credentials means no.
The server's side is in `challenger`.

Quoted values are kept as written between their quotes, escapes included: that is what both sides hash and echo.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bridge.sip.message import Request, Response

ALGORITHMS = ("SHA-256", "SHA-256-sess", "MD5", "MD5-sess")
"""What is spoken, the preferred first."""

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
_ITEM = re.compile(
    rf"[\s,]*+(?:(?P<scheme>{_TOKEN})\s++(?={_TOKEN}\s*=))?(?P<key>{_TOKEN})\s*=\s*"
    r'(?:"(?P<quoted>(?:[^"\\\r\n]|\\[^\r\n])*+)"|(?P<plain>[^\s,"]++))\s*(?:,|\Z)'
)
_WORDS = {algorithm.lower(): algorithm for algorithm in ALGORITHMS}
_COUNTS_KEPT = 64
_ANSWERS_KEPT = 256
_STALE_TRIES = 3
_HEADERS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


class DigestError(ValueError):
    """A challenge or credentials that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are for a server. The password is not shown."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if any(ord(character) < 32 for character in self.username):
            raise ValueError(f"user name {self.username!r} must be without control characters")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One digest challenge. `qop` is what will be used of what was offered: "auth", "auth-int" or None (RFC 2069)."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    algorithm_given: bool = False
    qop: str | None = None
    opaque: str | None = None
    stale: bool = False


def parse_digests(value: str) -> list[dict[str, str]]:
    """Return the digest challenges or credentials in a header value, keys in lower case; other schemes are left out.

    Commas in quotes are part of the value. Raises `DigestError`.
    """
    found: list[dict[str, str]] = []
    current: dict[str, str] | None = None
    at = 0
    end = len(value.rstrip(", \t"))
    while at < end:
        item = _ITEM.match(value, at)
        if item is None:
            raise DigestError(f"authentication parameters must be name=value pairs, not so at character {at + 1}")
        if item["scheme"] is not None:
            current = {}
            if item["scheme"].lower() == "digest":
                found.append(current)
        if current is None:
            raise DigestError("authentication must begin with its scheme, for example Digest")
        key = item["key"].lower()
        if key in current:
            raise DigestError(f"authentication parameter {key} is given twice")
        current[key] = item["plain"] if item["quoted"] is None else item["quoted"]
        at = item.end()
    return found


def digest_response(
    algorithm: str,
    credentials: Credentials,
    realm: str,
    nonce: str,
    method: str,
    uri: str,
    *,
    qop: str | None = None,
    cnonce: str = "",
    count: str = "",
    body: bytes = b"",
) -> str:
    """Return the response parameter in hex (RFC 7616 §3.4.1; without qop RFC 2069). `count` is the nc as sent."""

    def hashed(text: str) -> str:
        return _hash(algorithm, text.encode("utf-8", "surrogateescape"))

    secret = hashed(f"{credentials.username}:{realm}:{credentials.password}")
    if algorithm.endswith("-sess"):
        secret = hashed(f"{secret}:{nonce}:{cnonce}")
    asked = f"{method}:{uri}"
    if qop == "auth-int":
        asked += f":{_hash(algorithm, body)}"
    if qop is None:
        return hashed(f"{secret}:{nonce}:{hashed(asked)}")
    return hashed(f"{secret}:{nonce}:{count}:{cnonce}:{qop}:{hashed(asked)}")


def _hash(algorithm: str, data: bytes) -> str:
    if algorithm.startswith("SHA-256"):
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class NonceCounts:
    """How often each nonce was used, and with which client nonce; the last few nonces only."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, str]] = {}

    def next(self, nonce: str, rng: random.Random) -> tuple[int, str]:
        """Count a use of `nonce`; return the count from 1 and its client nonce (one per nonce, for -sess)."""
        count, cnonce = self._used.pop(nonce, (0, ""))
        if not cnonce:
            cnonce = f"{rng.getrandbits(96):024x}"
        self._used[nonce] = (count + 1, cnonce)
        if len(self._used) > _COUNTS_KEPT:
            del self._used[next(iter(self._used))]
        return count + 1, cnonce


def choose(values: Iterable[str]) -> Challenge:
    """Return the strongest challenge among header values that can be answered. Raises `DigestError` if none can."""
    usable: list[Challenge] = []
    offered: list[str] = []
    for value in values:
        try:
            for parameters in parse_digests(value):
                offered.append(f"{parameters.get('algorithm', 'MD5')} with qop {parameters.get('qop', 'none')}")
                challenge = _challenge(parameters)
                if challenge is not None:
                    usable.append(challenge)
        except DigestError as error:
            offered.append(str(error))
    if not usable:
        what = "; ".join(offered)[:200] or "no digest challenge"
        raise DigestError(
            f"server offers {what}; supported are {', '.join(ALGORITHMS)} with qop auth, auth-int or none"
        )
    return min(usable, key=lambda challenge: ALGORITHMS.index(challenge.algorithm))


def _challenge(parameters: dict[str, str]) -> Challenge | None:
    """Return the challenge if its algorithm and qop are spoken here."""
    algorithm = _WORDS.get(parameters.get("algorithm", "MD5").lower())
    if algorithm is None or "nonce" not in parameters or "realm" not in parameters:
        return None
    qop = None
    if parameters.get("qop"):
        qops = {word.strip().lower() for word in parameters["qop"].split(",")}
        qop = next((word for word in ("auth", "auth-int") if word in qops), None)
        if qop is None:
            return None
    return Challenge(
        realm=parameters["realm"],
        nonce=parameters["nonce"],
        algorithm=algorithm,
        algorithm_given="algorithm" in parameters,
        qop=qop,
        opaque=parameters.get("opaque"),
        stale=parameters.get("stale", "").lower() == "true",
    )


def authorization(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    counts: NonceCounts,
    rng: random.Random,
) -> str:
    """Return the value of Authorization (or Proxy-Authorization) that answers `challenge`."""
    escaped = re.sub(r'(["\\])', r"\\\1", credentials.username)
    count, cnonce = counts.next(challenge.nonce, rng)
    response = digest_response(
        challenge.algorithm,
        Credentials(escaped, credentials.password),
        challenge.realm,
        challenge.nonce,
        method,
        uri,
        qop=challenge.qop,
        cnonce=cnonce,
        count=f"{count:08x}",
        body=body,
    )
    parts = [
        f'username="{escaped}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
    ]
    if challenge.algorithm_given:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.qop is not None:
        parts.append(f"qop={challenge.qop}, nc={count:08x}")
    if challenge.qop is not None or challenge.algorithm.endswith("-sess"):
        parts.append(f'cnonce="{cnonce}"')
    if challenge.opaque is not None:
        parts.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(parts)


def answer(
    challenges: Sequence[str],
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    counts: NonceCounts,
    rng: random.Random,
) -> str:
    """Return the header value that answers the strongest of `challenges`. Raises `DigestError` if none can be."""
    return authorization(choose(challenges), credentials, method, uri, body, counts, rng)


class Authenticator:
    """Our credentials at one server: answers its challenges, as long as that makes sense.

    A request that was sent with an answer is recognised by its Call-ID, method and CSeq, one above that of the request
    that was challenged. If it is challenged once more the password is wrong, unless the server says `stale=true`
    (taken three times in a row). Requests that are under way at the same time may share one Authenticator.

    Either `answer` a challenge with a header for the one request, or ask `again` and `authorize` the request anew.
    """

    def __init__(self, credentials: Credentials, rng: random.Random) -> None:
        self._credentials = credentials
        self._rng = rng
        self._counts = NonceCounts()
        self._challenges: dict[str, Challenge] = {}  # by the name of the header that answers it
        self._answered: dict[tuple[str, str, str], tuple[int, int]] = {}  # to the CSeq challenged, and how often stale
        self.problem = ""
        """Why the last challenge was not answered."""

    def authorize(self, request: Request) -> None:
        """Put credentials into a request for every challenge that is remembered, in place of those it has."""
        for header in ("Authorization", "Proxy-Authorization"):
            request.headers.pop(header, None)
            challenge = self._challenges.get(header)
            if challenge is not None:
                request.set(header, self._respond(challenge, request.method, request.uri, request.body))

    def again(self, response: Response) -> bool:
        """Take a response; tell whether it challenges us in a way that makes sending again, authorised, worth it."""
        if response.code not in _HEADERS:
            return False
        asking, answering = _HEADERS[response.code]
        self._challenges.pop(answering, None)
        try:
            challenge = choose(response.headers.get(asking, ()))
        except DigestError as error:
            self.problem = str(error)
            return False
        if not self._worth_it(response, answering, challenge):
            self.problem = f"user name {self._credentials.username!r} or its password is refused"
            return False
        self._challenges[answering] = challenge
        return True

    def answer(self, response: Response, method: str, uri: str, body: bytes = b"") -> tuple[str, str] | None:
        """Return the header, name and value, to send a request again with (next CSeq!); None where it is no use.

        `uri` is the Request-URI of the request that `response` is to. Where None, `problem` says why.
        """
        if not self.again(response):
            return None
        _, answering = _HEADERS[response.code]
        return answering, self._respond(self._challenges[answering], method, uri, body)

    def _worth_it(self, response: Response, answering: str, challenge: Challenge) -> bool:
        cseq = response.cseq
        place = (response.call_id, cseq.method, answering)
        challenged, stale = self._answered.pop(place, (None, 0))
        if challenged is None or cseq.sequence != challenged + 1:
            stale = 0
        elif challenge.stale and stale < _STALE_TRIES:
            stale += 1
        else:
            return False
        self._answered[place] = (cseq.sequence, stale)
        if len(self._answered) > _ANSWERS_KEPT:
            del self._answered[next(iter(self._answered))]
        return True

    def _respond(self, challenge: Challenge, method: str, uri: str, body: bytes) -> str:
        return authorization(challenge, self._credentials, method, uri, body, self._counts, self._rng)
