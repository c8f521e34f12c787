"""A carriage as plain values, and again a carriage: so a relayed talk goes on over a restart, at the same ports.

What was agreed upon last is kept as the two descriptions said it, and agreed upon anew: paths and translations follow
from it as they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.directory.model import MediaWay
from bridge.media.carriage import Carriage, Told
from bridge.media.choice import Party
from bridge.media.model import SIDES, Media
from bridge.sip.grammar import SipError
from bridge.sip.message import Body


def plain_carriage(carriage: Carriage) -> dict[str, Any] | None:
    """Return a carriage as plain values (JSON); None where nothing has been agreed upon."""
    if carriage.agreed is None:
        return None
    side, offer, answer = carriage.agreed
    return {
        "ports": [list(pair) for pair in carriage.relay.held],
        "parties": [list(party) for party in carriage.parties],
        "told": [[told.session, told.version] for told in carriage.told],
        "offered_by": side,
        "descriptions": [[body.type, body.data.decode("latin-1")] for body in (offer, answer)],
    }


def resumed_carriage(media: Media, plain: Mapping[str, Any]) -> Carriage | None:
    """Return what `plain_carriage` wrote, its ports open again; None where somebody else has one of them.

    Raises KeyError, TypeError or ValueError for what it did not write.
    """
    ports = [(int(first), int(second)) for first, second in plain["ports"]]
    parties = [_party(values) for values in plain["parties"]]
    told = [_told(values) for values in plain["told"]]
    side = int(plain["offered_by"])
    offer, answer = (Body(str(kind), str(text).encode("latin-1")) for kind, text in plain["descriptions"])
    if side not in SIDES or len(parties) != len(SIDES) or len(told) != len(SIDES):
        raise ValueError("a relayed talk has two sides")
    relay = media.reopen(ports)
    if relay is None:
        return None
    carriage = Carriage(relay, (parties[0], parties[1]), (told[0], told[1]))
    try:
        carriage.offer(side, offer)
        carriage.answer(1 - side, answer)
    except SipError as error:
        relay.close()
        raise ValueError(str(error)) from None
    return carriage


def _party(values: Any) -> Party:
    signals, ours, way, says, trunk, phone, *later = values
    return Party(
        str(signals),
        str(ours),
        MediaWay(way),
        None if says is None else str(says),
        None if trunk is None else str(trunk),
        bool(phone),
        any(later[:1]),  # which a release before this one did not write
        str(later[1]) if len(later) > 1 else "",
    )


def _told(values: Any) -> Told:
    session, version = values
    told = Told(str(session))
    told.version = int(version) - 1  # which it gets back as soon as the same is said again
    return told
