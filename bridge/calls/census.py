"""What the exchange has in hand, counted: with nobody calling all of it is none, whatever has happened before.

For whoever looks after the bridge (`diagnosis`, the numbers for Prometheus) and for the soak, which lets thousands of
calls happen and then asks whether anything is left of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from bridge.sip.leg import Leg
from bridge.sip.transaction import Transaction
from bridge.sip.useragent import UserAgent

if TYPE_CHECKING:
    from bridge.calls.lines import LineTable
    from bridge.calls.ordered.control import Control
    from bridge.calls.pbx.trunks import Trunk
    from bridge.calls.phones.services import Services
    from bridge.calls.switchboard import Switchboard


class Census(NamedTuple):
    """How much there is of everything that a call needs."""

    calls: int  # those of the bridge itself (codes, menu) and those that are being dialled by command included
    legs: int
    transactions: int
    timers: int  # those of transactions aside
    searched: int  # lines at which a call searches
    waiting: int  # callers on the floor of the queues
    on_lines: int  # calls, offers and rings that are counted at lines
    on_trunks: int
    subscriptions: int  # ours at PBXs, and phones' at us


class HeldLeg(NamedTuple):
    """A leg that is there: its Call-ID, the id of its call, where it stands, whom it talks to."""

    call_id: str
    call: str | None
    state: str
    peer: str
    due: float | None  # seconds from now


def census(
    board: Switchboard,
    control: Control,
    services: Services,
    lines: LineTable,
    trunks: Mapping[str, Trunk],
    ua: UserAgent,
) -> Census:
    """Count."""
    return Census(
        calls=len(board.up) + services.busy + control.busy,
        legs=len(ua.legs),
        transactions=len(ua.layer),
        timers=sum(not isinstance(who, Transaction) for who in ua.agenda.waiting()),
        searched=board.searched,
        waiting=board.agents.floor.callers,
        on_lines=sum(use.calls + use.offers + use.rings for use in lines.uses()),
        on_trunks=sum(trunk.calls for trunk in trunks.values()),
        subscriptions=len(ua.subscriptions) + len(ua.notifiers),
    )


def held_legs(legs: Iterable[Leg], now: float, most: int) -> list[HeldLeg]:
    """Return the first legs that are there, the longest there first."""
    found = []
    for leg, _ in zip(legs, range(most), strict=False):
        due = None if leg.due is None else round(leg.due - now, 1)
        call = getattr(leg.owner, "id", None)
        found.append(HeldLeg(leg.call_id, call, leg.state.value, str(leg.flow), due))
    return found
