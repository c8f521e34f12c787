"""Random text for tags, branches and Call-IDs, of which every call takes several."""

from __future__ import annotations

import secrets
from collections.abc import Callable

BYTES = 8
AT_ONCE = 64


def tokens() -> Callable[[], str]:
    """Return a source of 64 random bits each time, as text; the kernel is asked for many of them at once."""
    waiting: list[str] = []

    def token() -> str:
        if not waiting:
            text = secrets.token_hex(BYTES * AT_ONCE)
            waiting.extend(text[at : at + 2 * BYTES] for at in range(0, len(text), 2 * BYTES))
        return waiting.pop()

    return token
