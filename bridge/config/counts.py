"""How many of what a configuration sets up, for machines and for people."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.config.settings import Settings

_COUNTED = ("trunks", "lines", "users", "groups", "desks")


def counts(settings: Settings) -> dict[str, int]:
    """Return how many there are of each section."""
    return {what: len(getattr(settings, what)) for what in _COUNTED}


def counted(found: Mapping[str, int]) -> str:
    """Return counts in words: "1 trunk, 3 lines"; nothing for nothing."""
    return ", ".join(
        f"{count} {what.removesuffix('s') if count == 1 else what}" for what, count in found.items() if count
    )
