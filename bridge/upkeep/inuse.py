"""What the agent has in use: how much of everything that calls take and have to give back, for people and for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bridge.calls.census import held_legs
from bridge.calls.exchange import Exchange
from bridge.media.relay import Ports

MOST_LEGS = 100  # that are told one by one

_TOLD = {
    "calls": "Calls that are up, those to the bridge itself included.",
    "legs": "Legs of calls.",
    "transactions": "SIP transactions that are not forgotten yet.",
    "timers": "Whatever waits for its time, transactions aside.",
    "searched": "Lines at which calls search.",
    "waiting": "Callers who wait in queues.",
    "on_lines": "Calls, offers and rings that are counted at lines.",
    "on_trunks": "Calls that are counted at trunks.",
    "subscriptions": "Subscriptions, ours at PBXs and phones' at us.",
}


def in_use(exchange: Exchange, ports: Ports) -> dict[str, tuple[str, float]]:
    """Return by name what each is, and how many."""
    counts = exchange.census()._asdict()
    return {
        **{f"in_use_{name}": (told, counts[name]) for name, told in _TOLD.items()},
        "in_use_rtp_pairs": ("Pairs of RTP ports that are open.", ports.in_use),
        "in_use_players": ("Streams that the bridge plays.", ports.stage.metronome.players),
        "in_use_tasks": ("Tasks of the agent.", len(asyncio.all_tasks())),
    }


def told_in_use(exchange: Exchange, ports: Ports, now: float) -> Mapping[str, Any]:
    """Return the same for `diagnosis`, and the legs that are there."""
    counts = {name.removeprefix("in_use_"): count for name, (_, count) in in_use(exchange, ports).items()}
    legs = held_legs(exchange.ua.legs.values(), now, MOST_LEGS)
    return {"in_use": counts, "legs": [leg._asdict() for leg in legs]}
