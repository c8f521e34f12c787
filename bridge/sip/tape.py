"""The tape: the SIP messages of the last minutes, as they came and went, for who asks what happened.

To keep a message costs a look at its length; whatever is to be made of it is made when somebody asks. It is bounded in
bytes, and so in time by how much there is to do. Secrets never leave it: who asks gets messages that are blotted out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bridge.sip.flow import Flow

BYTES = 2 * 1024 * 1024
MINUTES = 30.0
_EACH = 200  # bytes that a message takes beside its own
_LONGEST = 64 * 1024
BLOT = "***"

_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"^((?:Proxy-)?Authorization\s*:\s*(?!\s*Digest\b)\S+\s+)[^\r\n]+",  # Basic, Bearer
        r"(\bresponse\s*=\s*\"?)[^\",\r\n]+",
        r"(^a=crypto:[^\r\n]*?inline:)[^\s|\r\n]+",
        r"(^a=(?:key-mgmt|ice-pwd):)[^\r\n]+",
        r"(^k=)[^\r\n]+",
        r"(^Signal\s*=\s*)[^\r\n]+",  # keys of a PIN by INFO
    )
)
_KEY_BODY = re.compile(
    r"^(Content-Type\s*:\s*application/dtmf\s*$.*?\r?\n\r?\n).*", re.IGNORECASE | re.MULTILINE | re.DOTALL
)


class Taped(NamedTuple):
    """A message: its number from 1, when (monotonic seconds), whether we sent it, where to or from."""

    number: int
    at: float
    sent: bool
    flow: Flow
    data: bytes


class Tape:
    """What is kept. `listener`, where there is one, is told each message as it passes."""

    def __init__(self, most: int = BYTES, seconds: float = MINUTES * 60) -> None:
        self.listener: Callable[[Taped], None] | None = None
        self._most = most
        self._seconds = seconds
        self._kept: deque[Taped] = deque()
        self._size = 0
        self._count = 0

    def note(self, sent: bool, flow: Flow, data: bytes, now: float) -> None:
        """Keep a message."""
        self._count += 1
        taped = Taped(self._count, now, sent, flow, data)
        kept = self._kept
        kept.append(taped)
        self._size += len(data) + _EACH
        while self._size > self._most or kept[0].at < now - self._seconds:
            self._size -= len(kept.popleft().data) + _EACH
            if not kept:
                break
        if self.listener is not None:
            self.listener(taped)

    def after(self, number: int = 0) -> Iterator[Taped]:
        """Return the messages after one, by its number; the oldest first."""
        first = self._kept[0].number if self._kept else 0
        for index in range(max(0, number + 1 - first), len(self._kept)):
            yield self._kept[index]

    @property
    def last(self) -> int:
        """The number of the last message, 0 where there was none."""
        return self._count


def blotted(data: bytes) -> str:
    """Return a message as text, its secrets blotted out."""
    text = data[:_LONGEST].decode("utf-8", "replace")
    for secret in _SECRETS:
        text = secret.sub(rf"\g<1>{BLOT}", text)
    return _KEY_BODY.sub(rf"\g<1>{BLOT}", text)
